from __future__ import annotations

import av
import numpy as np
import pytest

from ptfan.engine.media.rgb import RgbConverter, depth_of

EIGHT = [
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "nv12",
    "gray",
    "rgb24",
    "bgr0",
    "yuvj420p",
    "yuva420p",
    "argb",
    "pal8",
    "rgb565le",
]


def _frame(name: str, size: tuple[int, int], space: int = 2, range_: int = 0) -> av.VideoFrame:
    y, x = np.mgrid[: size[1], : size[0]]
    pixels = np.stack([x * 255 // size[0], y * 255 // size[1], 255 - x * 255 // size[0]], -1).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.colorspace, frame.color_range = space, range_
    return frame.reformat(format="rgb8").reformat(format=name) if name == "pal8" else frame.reformat(format=name)


@pytest.mark.parametrize("name", [name for name in EIGHT if name != "pal8"])
@pytest.mark.parametrize("size", [(64, 48), (61, 47), (2, 2), (1, 1)])
@pytest.mark.parametrize("tags", [(1, 1), (2, 0), (5, 2), (9, 1)])
def test_eight_bits_are_as_pyav_has_them(name: str, size: tuple[int, int], tags: tuple[int, int]):
    frame = _frame(name, size, *tags)
    result = RgbConverter().convert(frame)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert np.array_equal(result, frame.to_ndarray(format="rgb24"))


@pytest.mark.parametrize("name", ["yuv420p10le", "yuv422p12le", "gray16le", "rgb48le", "p010le", "gbrp10le"])
def test_deeper_ones_too(name: str):
    frame = _frame(name, (64, 48))
    result = RgbConverter().convert(frame)
    assert result.dtype == np.uint16
    assert np.array_equal(result, frame.to_ndarray(format="rgb48le"))


@pytest.mark.parametrize("name", ["yuv420p10le", "yuv422p10le", "yuv444p10le", "p010le", "gray10le"])
@pytest.mark.parametrize("size", [(61, 48), (61, 47), (64, 47)])
def test_deep_pictures_of_odd_sizes_are_not_garbled(name: str, size: tuple[int, int]):
    frame = _frame(name, size)
    deep = RgbConverter().convert(frame).astype(float) / 257
    assert np.abs(deep - frame.to_ndarray(format="rgb24")).max() < 12
    assert np.abs(deep - frame.to_ndarray(format="rgb24")).mean() < 1.5


def test_one_converter_serves_frames_of_several_kinds():
    converter = RgbConverter()
    for name in ("yuv420p", "rgb24", "yuv420p10le", "yuv420p"):
        frame = _frame(name, (32, 32))
        layout = "rgb24" if depth_of(frame) == 8 else "rgb48le"
        assert np.array_equal(converter.convert(frame), frame.to_ndarray(format=layout))


def test_depth():
    assert [
        depth_of(av.VideoFrame(2, 2, name)) for name in ("monob", "gray", "yuv420p10le", "rgb48le", "gbrpf32le")
    ] == [
        8,
        8,
        10,
        16,
        16,
    ]
