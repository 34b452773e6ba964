from __future__ import annotations

import os
from pathlib import Path

import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.roles import Role, check_apart, output_roles


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with inputs of all kinds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "proj" / "frames").mkdir(parents=True)
    for name in ("clip.mp4", "mask.png", "proj/frames/0.png", "proj/frames/out.mp4"):
        (tmp_path / name).touch()
    os.link("clip.mp4", "hard.mp4")
    (tmp_path / "soft.mp4").symlink_to("clip.mp4")
    (tmp_path / "link").symlink_to("proj")
    return tmp_path


@pytest.mark.parametrize(
    ("target", "read", "words"),
    [
        ("clip.mp4", "clip.mp4", "clip.mp4: is the input itself; give the output another name"),
        ("./proj/../clip.mp4", "clip.mp4", "is the input itself"),
        ("hard.mp4", "clip.mp4", "is the input itself"),
        ("soft.mp4", "clip.mp4", "is the input itself"),
        ("clip.mp4", "soft.mp4", "is the input itself"),
        ("clip.mp4", "file:///HERE/clip.mp4", "is the input itself"),
        ("proj", "proj/frames", "proj: contains the input proj/frames; give the output another name"),
        ("link/", "proj/frames/0.png", "contains the input"),
        (".", "clip.mp4", "contains the input"),
        ("new", "new/none.mp4", "contains the input"),
        ("proj/frames/0.png", "link/frames", "is an image of the input link/frames"),
    ],
)
def test_what_is_in_the_way_is_refused(target: str, read: str, words: str, here: Path) -> None:
    with pytest.raises(InputError, match=words):
        check_apart([Role("output", target)], [Role("input", read.replace("/HERE", str(here)))])


@pytest.mark.parametrize(
    ("target", "read"),
    [
        ("out.mp4", "clip.mp4"),
        ("proj/frames/out", "proj/frames"),
        ("proj/frames/out.mp4", "proj/frames"),
        ("proj/frames2", "proj/frames"),
        ("-", "-"),
        ("udp://1.2.3.4:5", "udp://1.2.3.4:5"),
        ("clip.mp4", None),
    ],
)
def test_what_is_apart_is_not(target: str, read: str | None, here: Path) -> None:
    check_apart([Role("output", target)], [Role("input", read)])


def test_outputs_are_kept_apart_as_well(here: Path) -> None:
    with pytest.raises(InputError, match=r"b\.mp4: is the output itself; give the report another name"):
        check_apart([Role("output", "b.mp4"), Role("report", Path("b.mp4"))], [])
    with pytest.raises(InputError, match=r"out: contains the report out/r\.json"):
        check_apart([Role("output", "out"), Role("report", Path("out/r.json"))], [])


def test_what_would_be_kept_of_an_output_counts(here: Path) -> None:
    (here / "a.partial.mp4").touch()
    with pytest.raises(
        InputError, match=r"a\.partial\.mp4 \(where a run that is stopped is kept\): is the input itself"
    ):
        check_apart(output_roles("a.mp4"), [Role("input", "a.partial.mp4")])
    check_apart(output_roles("-"), [Role("input", "a.partial.mp4")])


def test_a_thousand_outputs_take_no_time(here: Path) -> None:
    written = [role for index in range(1000) for role in output_roles(f"out/{index}.mp4")]
    check_apart(written, [Role("input", f"in/{index}.mp4") for index in range(1000)])
