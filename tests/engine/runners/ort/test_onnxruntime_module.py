"""ONNX Runtime reports to nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ptfan.engine.runners.ort.onnxruntime_module import SILENCE_VARIABLE

OPEN = """
import os
from ptfan.engine.models import find_model
from ptfan.engine.runners.choice import open_runner
open_runner(find_model("s-live"), backend="onnxruntime", threads=1).close()
links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
print(*(os.readlink(link) for link in links if os.path.exists(link)), os.environ["ORT_DISABLE_TELEMETRY"], sep="\\n")
"""


@pytest.mark.parametrize(("asked", "found"), [(None, "1"), ("1", "1"), ("0", "0")])
def test_nothing_is_noted_for_its_makers_unless_asked(asked: str | None, found: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    # It keeps quiet by itself where these are set, as users' machines have none of them.
    quiet = ("CI", "ORT_RUNNING_UNIT_TESTS", "GITHUB_ACTIONS", "XDG_CACHE_HOME", SILENCE_VARIABLE)
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    environment |= {"HOME": str(tmp_path)} | ({} if asked is None else {SILENCE_VARIABLE: asked})
    done = subprocess.run([sys.executable, "-c", OPEN], env=environment, capture_output=True, text=True, check=True)
    *opened, told = done.stdout.split()
    assert told == found
    if told == "1":
        assert not [name for name in opened if name.startswith(str(tmp_path))]
        assert list(tmp_path.iterdir()) == []
