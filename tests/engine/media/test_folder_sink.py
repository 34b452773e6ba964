from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import OutputError, OutputExistsError
from ptfan.engine.frame import Box
from ptfan.engine.media import open_sink, open_source

Clips = Callable[..., Path]
BOX = Box(20, 11, 17, 14)


def _png(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(
    ("settings", "layout"),
    [
        ({}, "rgb24"),
        ({"colour": (1, 2, 1, 1)}, "rgb24"),
        ({"pixel_format": "yuv420p10le"}, "rgb48le"),
        ({"codec": "ffv1", "width": 61, "height": 47}, "rgb24"),
        ({"codec": "ffv1", "pixel_format": "gray"}, "rgb24"),
    ],
)
def test_pixels_outside_the_hole_are_the_decoder_s(
    settings: dict, layout: str, clip: Clips, convert, decoded, tmp_path: Path
):
    source, output = clip("in.mkv", **settings), tmp_path / "out"
    assert convert(source, output, box=BOX) == []
    frames = decoded(source)
    assert sorted(path.name for path in output.iterdir()) == [f"{index:06d}.png" for index in range(len(frames))]
    for index, frame in enumerate(frames):
        expected = frame.to_ndarray(format=layout)
        expected[BOX.slices] = np.array([1, 0, 1]) * np.iinfo(expected.dtype).max
        written = _png(output / f"{index:06d}.png")
        assert written.dtype == expected.dtype
        assert np.array_equal(written, expected)


@pytest.mark.parametrize("name", ["new", "new/", "empty", "dots.in.name/"])
def test_names_that_mean_a_folder(name: str, clip: Clips, convert, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    convert(clip(frames=2), f"{tmp_path}/{name}")
    assert len(list((tmp_path / name).glob("*.png"))) == 2


def test_an_existing_folder_is_replaced_only_with_leave_and_only_at_the_end(clip: Clips, fill, convert, tmp_path: Path):
    output, source = tmp_path / "out", clip(frames=3)
    output.mkdir()
    (output / "000000.png").touch()
    with pytest.raises(OutputExistsError):
        convert(source, output)
    with open_source(source) as reader, open_sink(output, reader, overwrite=True) as sink:
        for sample in reader:
            sink.write(sample, fill(sample, BOX))
            assert [path.stat().st_size for path in output.glob("*.png")] == [0]
    assert [path.stat().st_size > 0 for path in output.iterdir()] == [True] * 3


def test_an_error_leaves_the_older_folder(clip: Clips, fill, tmp_path: Path):
    def fail(source: Path) -> None:
        with open_source(source) as reader, open_sink(output, reader, overwrite=True) as sink:
            for sample in reader:
                sink.write(sample, fill(sample, BOX))
                raise ZeroDivisionError

    output = tmp_path / "out"
    output.mkdir()
    (output / "000000.png").touch()
    with pytest.raises(ZeroDivisionError):
        fail(clip())
    assert [path.name for path in output.iterdir()] == ["000000.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out"]


def test_what_is_done_can_be_kept(clip: Clips, fill, tmp_path: Path):
    with open_source(clip()) as reader:
        sink = open_sink(tmp_path / "out", reader)
        for sample in reader:
            if sample.index < 4:
                sink.write(sample, fill(sample, BOX))
        assert sink.abort(keep_partial=True) == tmp_path / "out.partial"
    assert len(list((tmp_path / "out.partial").iterdir())) == 4


def test_samples_that_are_not_square_are_named(clip: Clips, convert, tmp_path: Path):
    assert convert(clip("in.mkv", aspect=Fraction(4, 3)), tmp_path / "out") == [
        f"{tmp_path / 'out'}: the sample aspect ratio 4/3 is dropped: PNG files have square samples"
    ]


def test_alpha_is_dropped_and_named(clip: Clips, convert, tmp_path: Path):
    source = clip("in.mov", codec="qtrle", pixel_format="argb", alpha=99)
    assert convert(source, tmp_path / "out") == [
        f"{tmp_path / 'out'}: the alpha channel is dropped: the PNG files are RGB"
    ]
    assert _png(tmp_path / "out" / "000000.png").shape == (48, 64, 3)


def test_a_file_in_the_way_is_named(clip: Clips, convert, tmp_path: Path):
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="is a file, expected a folder"):
        convert(clip(), tmp_path / "out", overwrite=True)


def test_from_folder_to_folder_nothing_changes_outside_the_hole(clip: Clips, convert, tmp_path: Path):
    convert(clip(frames=3), tmp_path / "first")
    convert(tmp_path / "first", tmp_path / "second", box=BOX)
    for path in (tmp_path / "first").iterdir():
        old, new = _png(path), _png(tmp_path / "second" / path.name)
        assert (old != new).any()
        old[BOX.slices] = new[BOX.slices]
        assert np.array_equal(old, new)


def _images(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for index, name in enumerate(names):
        assert cv2.imwrite(str(folder / name), np.full((48, 64, 3), 9 * index, np.uint8))
    return folder


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_images_keep_their_names(convert, tmp_path: Path):
    source = _images(tmp_path / "in", "shot.0001.jpg", "shot.0002.png", "shot.0010.png")
    assert convert(source, tmp_path / "out", box=BOX) == []
    assert _names(tmp_path / "out") == ["shot.0001.png", "shot.0002.png", "shot.0010.png"]
    assert (_png(tmp_path / "out" / "shot.0010.png")[0, 0] == 18).all()
    convert(source, tmp_path / "part", start=0.04)
    assert _names(tmp_path / "part") == ["shot.0002.png", "shot.0010.png"]


def test_images_of_one_name_are_numbered(convert, tmp_path: Path):
    source = _images(tmp_path / "in", "1.png", "2.png", "2.JPG")
    assert convert(source, tmp_path / "out") == [
        f"{tmp_path / 'out'}: frames are numbered: several images of {source} have one name but for their endings"
    ]
    assert _names(tmp_path / "out") == ["000000.png", "000001.png", "000002.png"]


def test_frames_of_ours_are_replaced_whatever_they_are_called(convert, tmp_path: Path):
    output, source = tmp_path / "out", _images(tmp_path / "in", "a1.png", "a2.png")
    convert(source, output)
    with pytest.raises(OutputExistsError, match="exists already; give --overwrite"):
        convert(source, output)
    convert(_images(tmp_path / "other", "a2.png", "b1.png"), output, overwrite=True)
    assert _names(output) == ["a2.png", "b1.png"]


def test_images_that_are_not_ours_stay_also_under_the_same_names(convert, tmp_path: Path):
    source, output = (_images(tmp_path / name, "a1.png", "a2.png") for name in ("in", "mine"))
    before = (output / "a1.png").read_bytes()
    with pytest.raises(OutputExistsError, match=r"holds a1\.png, and only a folder with nothing but frames of ptfan's"):
        convert(source, output, overwrite=True)
    assert (output / "a1.png").read_bytes() == before
    assert _names(output) == ["a1.png", "a2.png"]
