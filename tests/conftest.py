"""What several tests need: the repository's root, its pyproject.toml and the files that belong to it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest itself brings it

ROOT = Path(__file__).resolve().parent.parent

os.environ.pop("PYTHONUNBUFFERED", None)  # commands that are started buffer what they write, as those of users do


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def project_files() -> list[Path]:
    """Return every file of the project, relative to the root: those in git, and new ones that git does not ignore."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the project is not known")
    # The checkout may belong to another user than the one who runs the tests.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(path for path in map(Path, filter(None, listed.split("\0"))) if (ROOT / path).is_file())


@pytest.fixture
def sideways_clip(tmp_path: Path) -> Path:
    """A video of 64x48 that is shown turned by a quarter, which its first frame and every fourth after it say alone."""
    path = tmp_path / "sideways.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "4", "bf": "0", "crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        packets = []
        for index in range(10):
            image = np.zeros((48, 64, 3), np.uint8)
            image[:20, :30] = 40 + 20 * index
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = index
            packets += stream.encode(frame)
        turn = BitStreamFilterContext("h264_metadata=display_orientation=insert:rotate=90", in_stream=stream)
        for packet in packets + stream.encode(None):
            for turned in turn.filter(packet):
                turned.stream = stream
                container.mux(turned)
    return path


@pytest.fixture
def behind_thumbnail(tmp_path: Path) -> Callable[[Path], Path]:
    """Put a video behind a thumbnail that nothing marks as a cover; both are streams of one file."""

    def put(film: Path) -> Path:
        path = tmp_path / "both.mkv"
        with av.open(str(path), "w") as output, av.open(str(film)) as source:
            picture = output.add_stream("mjpeg", rate=25)
            picture.width, picture.height, picture.pix_fmt = 32, 24, "yuvj420p"
            copy = output.add_stream_from_template(source.streams.video[0])
            grey = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 127, np.uint8), format="rgb24")
            output.mux(picture.encode(grey.reformat(format="yuvj420p")) + picture.encode(None))
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = copy
                    output.mux(packet)
        return path

    return put


@pytest.fixture(scope="module")
def load_script() -> Iterator[Callable[[str], ModuleType]]:
    """Return what loads a script that no package holds, named by its path from the root, as a module."""
    with pytest.MonkeyPatch.context() as patch:

        def load(path: str) -> ModuleType:
            file = ROOT / path
            patch.syspath_prepend(file.parent)  # as Python does with a script that it runs
            spec = importlib.util.spec_from_file_location(file.stem, file)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, spec.name, module)  # dataclasses look there
            spec.loader.exec_module(module)
            return module

        yield load
