from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.training.data.pixels import HOLE_COLOUR
from ptfan.training.evaluation.journal import Score
from ptfan.training.evaluation.pictures import ROWS, PictureStore
from ptfan.training.evaluation.task import Footage, Task


def _score(clip: str, method: str, key: str = "0") -> Score:
    return Score(key, clip, "box", method, 5, {})


def test_a_sheet_shows_input_methods_and_truth_in_colour(tmp_path: Path, task: Task) -> None:
    store = PictureStore(tmp_path / "frames")
    red = [np.broadcast_to(np.array((200, 10, 20), np.uint8), frame.shape) for frame in task.truth]
    scores = [_score("pan", "telea"), _score("pan", "mine")]
    store.keep(scores[0], task, red)
    store.keep(scores[1], task, list(task.truth))
    (path,) = store.sheets(scores, tmp_path)
    sheet = cv2.imread(str(path))
    assert sheet is not None
    height, width = task.truth[0].shape[:2]
    assert sheet.shape == (height + 20, 4 * (width + 4), 3)
    cells = [sheet[18:-2, 2 + k * (width + 4) :][:, :width, ::-1] for k in range(4)]
    middle = task.counted[2]
    shown = np.where(task.holes[middle][..., None], np.array(HOLE_COLOUR, np.uint8), task.truth[middle])
    for cell, expected in zip(cells, (shown, red[0], task.truth[middle], task.truth[middle]), strict=True):
        assert np.abs(cell.astype(int) - expected).mean() < 8  # a JPEG


def test_many_clips_make_several_sheets_and_others_are_left_out(tmp_path: Path, task: Task) -> None:
    store = PictureStore(tmp_path / "frames")
    names = [f"clip{number}" for number in range(ROWS + 1)]
    for number, name in enumerate(names):
        frames = tuple(frame[:, : 96 - number] for frame in task.truth)
        holes = tuple(hole[:, : 96 - number] for hole in task.holes)
        store.keep(_score(name, "telea"), Task(Footage(name, frames), "box", holes), frames)
    scores = [_score(name, "telea") for name in [*names, "never-kept"]]
    written = store.sheets(scores, tmp_path)
    assert [path.name for path in written] == ["sheet-box.jpg", "sheet-box-2.jpg"]
    heights = [image.shape[0] for path in written if (image := cv2.imread(str(path))) is not None]
    assert heights == [ROWS * 92, 92]
    assert store.sheets([_score(name, "mine") for name in names], tmp_path) == []


def test_a_picture_belongs_to_one_score(tmp_path: Path, task: Task) -> None:
    store = PictureStore(tmp_path / "frames")
    old, new = _score("pan", "mine", key="1"), _score("pan", "mine", key="2")
    store.keep(old, task, list(task.truth))
    store.keep(new, task, [255 - frame for frame in task.truth])
    width = task.truth[0].shape[1]
    for score, dark in [(old, False), (new, True)]:
        sheet = cv2.imread(str(*store.sheets([score], tmp_path)))
        assert sheet is not None
        result, truth = (sheet[18:-2, start:][:, :width].astype(int) for start in (width + 6, 2 * width + 10))
        assert np.abs(result - (255 - truth if dark else truth)).mean() < 8


def test_names_with_slashes_stay_inside_the_folder(tmp_path: Path, task: Task) -> None:
    store = PictureStore(tmp_path / "frames")
    odd = Task(Footage("a/../../b", task.truth), "box", task.holes)
    score = _score("a/../../b", "x/y")
    store.keep(score, odd, task.truth)
    assert {path.parent.parent.name for path in tmp_path.rglob("*.png")} == {"box"}
    assert len(store.sheets([score], tmp_path)) == 1


def test_a_full_disk_is_told(tmp_path: Path, task: Task) -> None:
    store, score = PictureStore(tmp_path / "frames"), _score("pan", "mine")
    (tmp_path / "sheet-box.jpg").symlink_to("/dev/full")
    store.keep(score, task, task.truth)
    with pytest.raises(OSError, match="No space left"):
        store.sheets([score], tmp_path)
    (kept,) = (tmp_path / "frames").rglob("*.png")
    kept.unlink()
    kept.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        store.keep(score, task, task.truth)
