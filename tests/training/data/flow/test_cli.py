from __future__ import annotations

import signal
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InterruptedRunError
from ptfan.training.data.flow import cli as flow_cli
from ptfan.training.data.flow.cache import FlowCache

SIZE = (48, 32)


def picture(t: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    waves = [127 + 90 * np.sin((x + 2 * t) / 6 + channel) * np.cos(y / 7) for channel in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video: Callable[..., None]) -> Path:
    (tmp_path / "videos").mkdir()
    for name, frames in (("a", 3), ("b", 4)):
        write_video(tmp_path / f"videos/{name}.mp4", [picture(t) for t in range(frames)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> None:
    """Run the command by itself."""
    app = typer.Typer()
    flow_cli.register(app)
    typer.main.get_command(app).main(args=list(arguments), standalone_mode=False)


def test_a_folder_of_videos(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--data", "videos", "-o", "new/flow", "--grid", "1")
    assert capsys.readouterr().out == "flow of 2 clips is in new/flow\n"
    cache = FlowCache(folder / "new/flow")
    assert [cache.info(name).frames for name in ("a", "b")] == [3, 4]
    assert cache.info("a").method == "dis"


def test_some_clips_scaled_down_and_quiet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "list").write_text("b\n", encoding="utf-8")
    run("--data", "videos", "-o", "flow", "--clips", "list", "--longest", "24", "--layout", "videos", "--quiet")
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
    assert [path.name for path in (folder / "flow").iterdir()] == ["b.npz"]
    assert FlowCache(folder / "flow").info("b").size == (24, 16)


def test_damage_is_told_and_mended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--data", "videos", "-o", "flow", "-q")
    path = folder / "flow/a.npz"
    sound = path.read_bytes()
    path.write_bytes(sound[:-1])
    run("--data", "videos", "-o", "flow", "-q")
    assert capsys.readouterr().err.startswith("ptfan: warning: flow cache flow/a.npz: cannot be read")
    with np.load(path) as mended, np.load(BytesIO(sound)) as before:  # as archives, they differ by the time of writing
        assert set(mended) == set(before)
        assert all(np.array_equal(mended[name], before[name]) for name in before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "guess"), "expected one of dis, raft, files"),
        (("--layout", "imagenet"), "expected one of videos"),
        (("--data", "none"), "is not a folder"),
        (("--split", "val"), "has no splits"),
    ],
)
def test_mistakes_of_the_user(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(*("--data", "videos", "-o", "flow", *arguments))
    assert not (folder / "flow").exists()


def test_a_signal_stops_after_what_is_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    write = FlowCache.write

    def stop_after_the_first(cache: FlowCache, *given: Any) -> None:
        write(cache, *given)
        done.append(given[0])
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(FlowCache, "write", stop_after_the_first)
    with pytest.raises(InterruptedRunError, match="stopped; 1 of 2 clips are in flow, the same command goes on"):
        run("--data", "videos", "-o", "flow", "-q")
    assert done == ["a"]
    assert [path.name for path in (folder / "flow").iterdir()] == ["a.npz"]
