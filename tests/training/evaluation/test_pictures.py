from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ptfan.training.data.pixels import HOLE_COLOUR
from ptfan.training.evaluation.pictures import ROWS, PictureStore
from ptfan.training.evaluation.task import Footage, Task


def test_a_sheet_shows_input_methods_and_truth_in_colour(tmp_path: Path, task: Task) -> None:
    store = PictureStore(tmp_path / "frames")
    red = [np.broadcast_to(np.array((200, 10, 20), np.uint8), frame.shape) for frame in task.truth]
    store.keep(task, {"telea": red})
    store.keep(task, {"mine": list(task.truth)})
    (path,) = store.sheets("box", ["pan"], ["telea", "mine"], tmp_path / "sheet.png")
    sheet = cv2.imread(str(path))
    assert sheet is not None
    height, width = task.truth[0].shape[:2]
    assert sheet.shape == (height + 20, 4 * (width + 4), 3)
    cells = [sheet[18:-2, 2 + k * (width + 4) :][:, :width, ::-1] for k in range(4)]
    middle = task.counted[2]
    np.testing.assert_array_equal(cells[0][task.holes[middle]][0], HOLE_COLOUR)
    np.testing.assert_array_equal(cells[0][~task.holes[middle]], task.truth[middle][~task.holes[middle]])
    np.testing.assert_array_equal(cells[1], red[0])
    np.testing.assert_array_equal(cells[2], task.truth[middle])
    np.testing.assert_array_equal(cells[3], task.truth[middle])


def test_many_clips_make_several_sheets_and_others_are_left_out(tmp_path: Path, task: Task) -> None:
    store = PictureStore(tmp_path / "frames")
    names = [f"clip{number}" for number in range(ROWS + 1)]
    for number, name in enumerate(names):
        frames = tuple(frame[:, : 96 - number] for frame in task.truth)
        holes = tuple(hole[:, : 96 - number] for hole in task.holes)
        store.keep(Task(Footage(name, frames), "box", holes), {"telea": frames})
    written = store.sheets("box", [*names, "never-kept"], ["telea"], tmp_path / "sheet.jpg")
    assert [path.name for path in written] == ["sheet.jpg", "sheet-2.jpg"]
    heights = [image.shape[0] for path in written if (image := cv2.imread(str(path))) is not None]
    assert heights == [ROWS * 92, 92]
    assert store.sheets("text", names, ["telea"], tmp_path / "none.jpg") == []


def test_names_with_slashes_stay_inside_the_folder(tmp_path: Path, task: Task) -> None:
    store = PictureStore(tmp_path / "frames")
    odd = Task(Footage("a/../../b", task.truth), "box", task.holes)
    store.keep(odd, {"x/y": task.truth})
    assert {path.parent.parent.name for path in tmp_path.rglob("*.png")} == {"box"}
    assert len(store.sheets("box", ["a/../../b"], ["x/y"], tmp_path / "sheet.jpg")) == 1
