"""What README, CONTRIBUTING and the pages of docs/ show is there and works."""

from __future__ import annotations

import re
import shlex
from fractions import Fraction
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import typer

from ptfan.engine.cli import build_app
from ptfan.engine.frame import Image

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
PAGES = ("README.md", "CONTRIBUTING.md", *DOCS)
SIZE = (64, 48)
"""Width and height of the clip that the Python examples are given, pixels."""
AT_HAND = {"rtsp://camera/stream": "clip.mp4", '("127.0.0.1", 8080)': '("127.0.0.1", 0)'}
"""What the Python examples name that no test has, and what it has instead."""


def page(name: str) -> str:
    """Return a page, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """Return a page's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)


def shell_lines(*names: str) -> list[list[str]]:
    """Return the words of every command in these pages' shell blocks; a pipe's commands each by itself."""
    text = "\n".join(block for name in names for block in blocks(name, "sh")).replace("\\\n", " ")
    words = [shlex.split(part, comments=True) for line in text.splitlines() for part in line.split("|")]
    return [line for line in words if line]


@pytest.fixture(scope="module")
def commands(pyproject: dict[str, Any]) -> dict[str, Any]:
    """Return the sub-commands of ptfan, those that pyproject.toml declares as plugins included."""
    group = "ptfan.commands"
    declared = pyproject["project"]["entry-points"][group]
    app: Any = typer.main.get_command(build_app([EntryPoint(name, value, group) for name, value in declared.items()]))
    return dict(app.commands)


def ptfan_lines(*names: str) -> list[list[str]]:
    """Return the arguments of every call of ptfan in these pages."""
    return [line[1:] for line in shell_lines(*names) if line[0] == "ptfan"]


@pytest.mark.parametrize("line", ptfan_lines(*PAGES), ids=" ".join)
def test_commands_are_understood(line: list[str], commands: dict[str, Any]) -> None:
    assert line[0] in commands
    # Reading the arguments raises for an option that is not there, a missing one and a value of the wrong type.
    commands[line[0]].make_context(line[0], line[1:])


def test_every_command_is_shown(commands: dict[str, Any]) -> None:
    assert set(commands) == {line[0] for line in ptfan_lines("README.md")}


@pytest.mark.parametrize("name", PAGES)
def test_make_targets_exist(name: str) -> None:
    targets = set(re.findall(r"^(\w+):", page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake (?!sure\b)([a-z]+)`", page(name))) <= targets
    assert {line[1] for line in shell_lines(name) if line[0] == "make"} <= targets


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)", page(name)) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if not leads_somewhere(ROOT / name, link)] == []


def leads_somewhere(source: Path, link: str) -> bool:
    """Tell whether a page's link names a file or folder that is there, and a heading that is in it."""
    name, _, heading = link.partition("#")
    target = source.parent / name if name else source
    if not heading:
        return target.exists()
    titles = re.findall(r"^#+ (.*)", target.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def picture(index: int) -> Image:
    """Return a frame of a smooth pattern that moves one pixel a frame."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    waves = [127 + 90 * np.sin((x + index) / 5 + channel) * np.cos(y / 7) for channel in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with the files that the examples name."""
    with av.open(str(tmp_path / "clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="rgb24")))
        container.mux(stream.encode(None))
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[16:30, 20:40] = 255
    with av.open(str(tmp_path / "logo.png"), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "gray"
        container.mux([*stream.encode(av.VideoFrame.from_ndarray(mask, format="gray")), *stream.encode(None)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["README.md", "docs/python.md"])
def test_the_python_examples_run(workplace: Path, name: str) -> None:
    shown: list[Image] = []
    hole = np.zeros(SIZE[::-1], bool)
    hole[16:30, 20:40] = True
    names = {"frames": [(picture(index), hole) for index in range(6)], "show": shown.append}
    examples = blocks(name, "python")
    assert examples
    for example in examples:
        for named, given in AT_HAND.items():
            example = example.replace(named, given)
        exec(compile(example, name, "exec"), names)
    assert (workplace / "clean.mp4").stat().st_size > 0
    assert len(shown) == 6
    for index, image in enumerate(shown):
        assert np.array_equal(image[~hole], picture(index)[~hole])
        assert not np.array_equal(image[hole], picture(index)[hole])
