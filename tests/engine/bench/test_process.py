from __future__ import annotations

from pathlib import Path

import pytest

from ptfan.engine.bench.process import most_memory, run_process
from ptfan.engine.errors import BackendError

SLACK = 4 << 20
"""Bytes."""
ECHO = """
import json, sys
print("something else")
print(json.dumps({"asked": json.loads(sys.argv[1])}))
"""


def test_a_module_of_a_folder_is_told_and_answers(tmp_path: Path) -> None:
    (tmp_path / "echo_back.py").write_text(ECHO, encoding="utf-8")
    assert run_process("echo_back", {"frames": 3}, "echoing", folder=tmp_path) == {"asked": {"frames": 3}}


def test_a_failure_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("print('half')\nraise ValueError('no such thing')\n", encoding="utf-8")
    with pytest.raises(BackendError) as caught:
        run_process("broken", {}, "breaking", folder=tmp_path)
    assert str(caught.value) == "bench: breaking failed (ValueError: no such thing)"


def test_the_most_memory_does_not_fall_with_what_is_given_back() -> None:
    before = most_memory()
    block = bytes(range(256)) * (1 << 18)
    most = most_memory()
    del block
    # The system counts in lots of pages.
    assert 1 << 20 < before < most + SLACK
    assert most_memory() > most - SLACK
