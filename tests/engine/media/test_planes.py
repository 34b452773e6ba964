from __future__ import annotations

from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.frame import Box, Frame, Patch
from ptfan.engine.media.filter_chain import copy_frame
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.pixel_layout import PixelLayout
from ptfan.engine.media.planes import composite_planes
from ptfan.engine.media.rgb import RgbConverter
from ptfan.engine.media.side_data import read_side_data

FORMATS = [
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "gray",
    "nv12",
    "rgb24",
    "yuva420p",
    "yuyv422",
    "gbrp",
    "p010le",
]
FORMATS += ["bgra", "gray10le", "yuvj420p", "rgb48le", "yuv410p"]


def _planes(frame: av.VideoFrame) -> list[np.ndarray]:
    """The planes as (rows, groups, bytes a group), without padding."""
    found = []
    for plane, layout in zip(frame.planes, PixelLayout.of(frame.format.name).planes, strict=True):
        rows, groups = -(-frame.height // layout.block[1]), -(-frame.width // layout.block[0])
        memory = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        found.append(memory[:rows, : groups * layout.group].reshape(rows, groups, layout.group).copy())
    return found


def _noise(width: int, height: int, name: str, seed: int) -> av.VideoFrame:
    """A frame of random samples, with time stamps and tags."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=name)
    frame.pts, frame.colorspace = 7, 1
    return frame


def _touched(hole: np.ndarray, block: tuple[int, int]) -> np.ndarray:
    """Which blocks a hole touches, pixel by pixel."""
    wide, high = block
    found = np.zeros((-(-hole.shape[0] // high), -(-hole.shape[1] // wide)), bool)
    for y, x in np.argwhere(hole):
        found[y // high, x // wide] = True
    return found


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(FORMATS),
    width=st.integers(9, 50),
    height=st.integers(9, 40),
    seed=st.integers(0, 1000),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_only_what_the_hole_touches_changes(name: str, width: int, height: int, seed: int, corners: tuple[float, ...]):
    native = _noise(width, height, name, seed)
    before = _planes(native)
    image = RgbConverter().convert(native)
    left, right = sorted(int(value * (width - 1)) for value in corners[:2])
    top, bottom = sorted(int(value * (height - 1)) for value in corners[2:])
    box = Box(left, top, right - left + 1, bottom - top + 1)
    random = np.random.default_rng(seed)
    hole = np.zeros((height, width), bool)
    hole[box.slices] = random.random((box.height, box.width)) < 0.6
    pixels = random.random((box.height, box.width, 3), dtype=np.float32)
    result = composite_planes(native, Frame(image, hole, patches=(Patch(box, pixels),)))
    for old, kept, new, layout in zip(
        before, _planes(native), _planes(result), PixelLayout.of(name).planes, strict=True
    ):
        assert np.array_equal(old, kept)  # the decoder's frame is not written to
        free = np.repeat(~_touched(hole, layout.block)[..., None], layout.group, axis=2) | np.array(layout.alpha)
        assert np.array_equal(old[free], new[free])
    assert (result.pts, result.colorspace, result.color_range) == (native.pts, native.colorspace, native.color_range)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "yuv410p"])
@pytest.mark.parametrize("space", [1, 2, 5, 6, 7, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("size", [(64, 48), (61, 47)])
def test_a_hole_filled_with_what_was_there_changes_next_to_nothing(
    name: str, space: int, full: bool, size: tuple[int, int]
):
    width, height = size
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([x * 1.5 + 60, y * 1.5 + 60, 200 - x - y], -1).astype(np.uint8)
    native = av.VideoFrame.from_ndarray(smooth, format="rgb24")
    native.colorspace, native.color_range = space, 2 if full else 1
    native = native.reformat(format=name)
    image = RgbConverter().convert(native)
    box = Box(5, 4, width - 5, height - 10)
    hole = np.zeros((height, width), bool)
    hole[box.slices] = True
    peak = np.iinfo(image.dtype).max
    patch = Patch(box, (image[box.slices] / peak).astype(np.float32))
    result = RgbConverter().convert(composite_planes(native, Frame(image, hole, patches=(patch,))))
    difference = (result.astype(int) - image.astype(int)) / (peak / 255)
    assert np.abs(difference).max() <= 8  # chroma in steps of two pixels on a slope
    odd = width % 2  # libswscale stretches the chroma of an odd size when it reads it, by up to half a pixel
    assert np.abs(difference).mean() <= (1.5 if odd else 0.5)
    assert np.abs(difference.mean(axis=(0, 1))).max() <= (2.5 if odd else 0.25)  # neither darker nor another colour


@pytest.mark.parametrize("name", ["yuv444p", "gray", "rgb24", "gbrp", "nv12"])
def test_a_flat_fill_comes_out_in_its_colour(name: str):
    native = _noise(40, 32, name, 3)
    box = Box(8, 8, 16, 16)
    hole = np.zeros((32, 40), bool)
    hole[box.slices] = True
    colour = (0.5, 0.5, 0.5) if name == "gray" else (0.8, 0.3, 0.1)
    patch = Patch(box, np.tile(np.array(colour, np.float32), (16, 16, 1)))
    image = RgbConverter().convert(native)
    result = RgbConverter().convert(composite_planes(native, Frame(image, hole, patches=(patch,))))
    inner = result[12:20, 12:20]
    assert np.abs(inner.astype(float) - np.array(colour, np.float32) * 255).max() < 3


def test_what_stands_in_the_hole_does_not_show_in_the_result():
    first = _noise(48, 40, "yuv420p", 1)
    box, other = Box(8, 8, 14, 14), Box(20, 10, 12, 12)  # the second lies in the margin of the first
    hole = np.zeros((40, 48), bool)
    hole[box.slices] = hole[other.slices] = True
    second = copy_frame(first)
    for plane, layout in zip(second.planes, PixelLayout.of("yuv420p").planes, strict=True):
        memory = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        touched = _touched(hole, layout.block)
        memory[: touched.shape[0], : touched.shape[1]][touched] = 77
    patches = tuple(Patch(place, np.full((place.height, place.width, 3), 0.4, np.float32)) for place in (box, other))
    results = []
    for native in (first, second):
        image = RgbConverter().convert(native)
        image[~hole] = 128  # what is known is the same
        results.append(_planes(composite_planes(native, Frame(image, hole, patches=patches))))
    for old, new in zip(*results, strict=True):
        assert np.array_equal(old, new)


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "rgb24", "yuv420p10le"])
@pytest.mark.parametrize("turn", range(8))
def test_a_turned_picture_is_filled_where_it_is_shown(name: str, turn: int, monkeypatch: pytest.MonkeyPatch):
    orientation = Orientation(bool(turn & 1), bool(turn & 2), bool(turn & 4))
    monkeypatch.setattr(Orientation, "of", classmethod(lambda cls, frame: orientation))
    native = _noise(42, 30, name, 5)
    before = RgbConverter().convert(native)
    height, width = before.shape[:2]
    box = Box(4, 6, 12, 10)  # even, so that it lies on the grid of the chroma from either end
    hole = np.zeros((height, width), bool)
    hole[box.slices] = True
    pixels = np.zeros((10, 12, 3), np.float32)
    pixels[:, :6, 0] = pixels[:, 6:, 1] = 1
    after = RgbConverter().convert(composite_planes(native, Frame(before, hole, patches=(Patch(box, pixels),))))
    peak = np.iinfo(after.dtype).max
    near = cv2.dilate(hole.astype(np.uint8), np.ones((5, 5))).astype(bool)  # reading may filter chroma across the edge
    assert np.array_equal(before[~near], after[~near])
    assert after[8:14, 5:8, 0].min() > 0.8 * peak > 0.2 * peak > after[8:14, 5:8, 1:].max()
    assert after[8:14, 12:15, 1].min() > 0.8 * peak > 0.3 * peak > after[8:14, 12:15, 0].max()


def test_without_anything_to_fill_the_frame_itself_is_returned():
    native = _noise(16, 16, "yuv420p", 0)
    image, hole = RgbConverter().convert(native), np.zeros((16, 16), bool)
    patch = Patch(Box(0, 0, 4, 4), np.zeros((4, 4, 3), np.float32))
    assert composite_planes(native, Frame(image, hole)) is native
    assert composite_planes(native, Frame(image, hole, patches=(patch,))) is native


def test_captions_and_other_side_data_go_with_the_copy(clip: Callable[..., object], fill: Callable[..., Frame]):
    native = next(av.open(str(clip(frames=1))).decode(video=0))  # x264 signs its first frame
    result = copy_frame(native)
    told = read_side_data(native)
    assert told
    assert read_side_data(result) == told
