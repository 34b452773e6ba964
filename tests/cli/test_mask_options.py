"""What the options about masks do to the pictures, and what is said when they make no sense."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

SHAPE = (48, 64)


def save_png(path: Path, values: NDArray[np.uint8]) -> Path:
    assert cv2.imwrite(str(path), values)
    return path


def changed(before: list[Any], after: list[Any]) -> NDArray[np.bool_]:
    """Where the pictures differ in any frame."""
    assert len(before) == len(after)
    return np.any([(new != old).any(-1) for old, new in zip(before, after, strict=True)], axis=0)


def test_the_hole_grows_by_dilate(
    inpaint: Callable[..., Any], clip: Callable[..., Path], save_mask: Callable[..., Path], images: Callable[..., Any]
) -> None:
    source = clip()
    assert inpaint(source, "--mask", save_mask(), "--dilate", 3, "-o", "out", "-q").status == 0
    rows, columns = np.nonzero(changed(images(source), images(Path("out"))))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (17, 38, 11, 28)


def test_boxes_and_masks_add_up(
    inpaint: Callable[..., Any], clip: Callable[..., Path], save_mask: Callable[..., Path], images: Callable[..., Any]
) -> None:
    source, half = clip(), np.zeros(SHAPE, bool)
    half[14:26, 20:28] = True
    mask = save_mask("half.png", half)
    assert inpaint(source, "--mask", save_mask(), "-o", "whole", "-q").status == 0
    assert inpaint(source, "--box", "20,14,8,12", "--box", "28,14,8,12", "-o", "boxes", "-q").status == 0
    assert inpaint(source, "--mask", mask, "--box", "28,14,8,12", "-o", "both", "-q").status == 0
    assert np.array_equal(images(Path("boxes")), images(Path("whole")))
    assert np.array_equal(images(Path("both")), images(Path("whole")))


def test_object_ids_choose_from_a_mask(
    inpaint: Callable[..., Any], clip: Callable[..., Path], images: Callable[..., Any], folder: Path
) -> None:
    ids = np.zeros(SHAPE, np.uint8)
    ids[5:10, 5:10], ids[30:40, 40:50] = 1, 2
    source, mask = clip(), save_png(folder / "ids.png", ids)
    assert inpaint(source, "--mask", mask, "--object-id", 2, "-o", "out", "-q").status == 0
    differs = changed(images(source), images(folder / "out"))
    assert differs[ids == 2].any()
    assert not differs[ids != 2].any()


def test_a_mask_of_another_size_is_scaled(
    inpaint: Callable[..., Any], clip: Callable[..., Path], save_mask: Callable[..., Path], images: Callable[..., Any]
) -> None:
    small = np.zeros((24, 32), bool)
    small[7:13, 10:18] = True
    source = clip()
    assert inpaint(source, "--mask", save_mask(), "-o", "same", "-q").status == 0
    assert inpaint(source, "--mask", save_mask("small.png", small), "-o", "half", "-q").status == 0
    assert np.array_equal(images(Path("half")), images(Path("same")))


def test_masks_keep_step_with_the_whole_video(
    inpaint: Callable[..., Any],
    clip: Callable[..., Path],
    save_mask: Callable[..., Path],
    images: Callable[..., Any],
    folder: Path,
) -> None:
    source, holes = clip(frames=10), np.zeros((10, *SHAPE), bool)
    (folder / "masks").mkdir()
    for index, hole in enumerate(holes):
        hole[10:20, 4 * index : 4 * index + 10] = True
        save_mask(f"masks/{index}.png", hole)
    result = inpaint(source, "--mask", "masks", "--start", "0.16", "--end", "0.32", "-o", "out")
    assert (result.status, result.warnings) == (0, [])  # With an end, masks are left over on purpose.
    for old, new, hole in zip(images(source)[4:8], images(folder / "out"), holes[4:8], strict=True):
        assert np.array_equal(new[~hole], old[~hole])
        assert (new[hole] != old[hole]).any()


def test_too_few_masks_for_the_part_that_is_wanted(
    inpaint: Callable[..., Any], clip: Callable[..., Path], save_mask: Callable[..., Path], folder: Path
) -> None:
    source = clip(frames=10)
    (folder / "masks").mkdir()
    for index in range(6):
        save_mask(f"masks/{index}.png")
    assert (
        "6 masks, one a frame, for 8 frames"
        in inpaint(source, "--mask", "masks", "--start", "0.16", "--end", "0.32", "-o", "out").error
    )
    assert inpaint(source, "--mask", "masks", "--end", "0.24", "-o", "out").status == 0


def test_a_mask_that_is_damaged_in_the_middle_keeps_the_frames_before_it(
    inpaint: Callable[..., Any],
    clip: Callable[..., Path],
    save_mask: Callable[..., Path],
    images: Callable[..., Any],
    folder: Path,
) -> None:
    source = clip()
    (folder / "masks").mkdir()
    for index in range(8):
        save_mask(f"masks/{index}.png")
    (folder / "masks" / "7.png").write_bytes(b"no")
    (folder / "out.mkv").write_bytes(b"older")
    error = inpaint(source, "--mask", "masks", "-o", "out.mkv", "--overwrite").error
    assert "masks/7.png: cannot be read" in error
    assert (folder / "out.mkv").read_bytes() == b"older"
    assert error.endswith("; the first 7 frames are kept as out.partial.mkv")
    assert len(images(folder / "out.partial.mkv")) == 7
    assert sorted(path.name for path in folder.iterdir()) == ["clip.mkv", "masks", "out.mkv", "out.partial.mkv"]


def test_a_box_partly_outside_is_clipped_and_told(inpaint: Callable[..., Any], clip: Callable[..., Path]) -> None:
    result = inpaint(clip(), "--box", "60,44,20,20", "-o", "out.mkv")
    assert result.status == 0
    assert [line.count("clipped") for line in result.warnings] == [1]


@pytest.mark.parametrize("box", ["64,0,5,5", "0,48,5,5", "-9,0,5,5", "500,500,10,10"])
def test_a_box_outside_names_the_size_of_the_frame(
    box: str, inpaint: Callable[..., Any], clip: Callable[..., Path]
) -> None:
    assert f"box {box}: outside the frame, which is 64x48" in inpaint(clip(), "--box", box, "-o", "out.mkv").error


def test_object_ids_of_a_coloured_mask(inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path) -> None:
    mask = save_png(folder / "mask.png", np.full((*SHAPE, 3), 200, np.uint8))
    assert "object ids need a palette" in inpaint(clip(), "--mask", mask, "--object-id", 1, "-o", "out.mkv").error


def test_an_object_id_that_a_still_mask_lacks(
    inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path
) -> None:
    ids = np.zeros(SHAPE, np.uint8)
    ids[4:8, 4:8], ids[9:12, 9:12] = 3, 5
    mask = save_png(folder / "mask.png", ids)
    error = inpaint(clip(), "--mask", mask, "--object-id", 7, "-o", "out.mkv").error
    assert error.endswith("mask.png: no pixel has the object id 7, expected one of 3, 5")
    save_png(mask, np.arange(48 * 64).reshape(SHAPE).astype(np.uint8) // 2)
    assert inpaint(clip(), "--mask", mask, "--object-id", 200, "-o", "out.mkv").error.endswith(", 15, 16 and more")
    (folder / "masks").mkdir()
    for index in range(8):
        save_png(folder / "masks" / f"{index}.png", ids)
    result = inpaint(clip(), "--mask", "masks", "--object-id", 7, "-o", "out.mkv")
    assert result.status == 0
    assert "no pixels in any frame" in result.warnings[0]


def test_debugging_shows_the_traceback(ptfan: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTFAN_DEBUG", "1")
    result = ptfan("inpaint", "nowhere.mp4", "--box", "1,1,5,5", "-o", "out.mkv")
    assert result.status == 2
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("ptfan: error: nowhere.mp4")


@pytest.mark.parametrize(
    "command", [("inpaint", "-o", "out.mkv"), ("preview", "-o", "out.png"), ("stream", "--to", "-")]
)
def test_a_second_mask_does_not_take_the_place_of_the_first(
    command: tuple[str, ...], ptfan: Callable[..., Any]
) -> None:
    name, *output = command
    error = ptfan(name, "clip.mp4", "--mask", "a.png", "-m", "b.png", *output).error
    assert error == "ptfan: error: mask is given 2 times (a.png, b.png); paint all into one picture"
