from __future__ import annotations

import av
import pytest
from av.video.format import names  # type: ignore[attr-defined]

from ptfan.engine.media.pixel_layout import PixelLayout, bits_of, has_alpha, plain_format, plane_rows


@pytest.mark.parametrize(
    ("name", "groups", "block"),
    [
        ("yuv420p", [1, 1, 1], (2, 2)),
        ("yuv422p10le", [2, 2, 2], (2, 1)),
        ("yuv410p", [1, 1, 1], (4, 4)),
        ("nv12", [1, 2], (2, 2)),
        ("p010le", [2, 4], (2, 2)),
        ("yuyv422", [4], (2, 1)),
        ("rgb24", [3], (1, 1)),
        ("bgr0", [4], (1, 1)),
        ("rgb48le", [6], (1, 1)),
        ("gray", [1], (1, 1)),
        ("gbrp16le", [2, 2, 2], (1, 1)),
    ],
)
def test_groups_and_blocks(name: str, groups: list[int], block: tuple[int, int]):
    layout = PixelLayout.of(name)
    assert [plane.group for plane in layout.planes] == groups
    assert layout.block == block
    assert not any(any(plane.alpha) for plane in layout.planes)


@pytest.mark.parametrize(
    ("name", "alpha"),
    [
        ("rgba", [(False, False, False, True)]),
        ("argb", [(True, False, False, False)]),
        ("ya8", [(False, True)]),
        ("rgba64le", [(False,) * 6 + (True, True)]),
        ("yuva420p", [(False,), (False,), (False,), (True,)]),
    ],
)
def test_alpha_is_found(name: str, alpha: list[tuple[bool, ...]]):
    assert [plane.alpha for plane in PixelLayout.of(name).planes] == alpha
    assert has_alpha(name)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("yuv420p", "yuv420p"), ("pal8", "rgb24"), ("monob", "gray"), ("gbrpf32le", "rgb48le"), ("bayer_rggb8", "rgb24")],
)
def test_formats_without_whole_samples_are_replaced(name: str, plain: str):
    assert plain_format(name) == plain


@pytest.mark.parametrize("name", sorted(names))
def test_every_format_has_a_layout_or_a_replacement(name: str):
    layout = PixelLayout.of(plain_format(name))
    frame = av.VideoFrame(16, 16, plain_format(name))
    for plane, memory in zip(layout.planes, frame.planes, strict=True):
        assert 16 // plane.block[0] * plane.group <= memory.line_size
        assert memory.line_size * (16 // plane.block[1]) <= memory.buffer_size


@pytest.mark.parametrize(
    ("name", "bits"),
    [("yuv420p", 8), ("yuva444p10le", 10), ("monob", 1), ("rgb565le", 6), ("rgb48le", 16), ("cuda", 8)],
)
def test_the_deepest_component_has_the_bits(name: str, bits: int):
    assert bits_of(name) == bits


def test_a_plane_is_its_rows_and_can_be_written_to():
    frame = av.VideoFrame(6, 4, "yuv420p")
    plane_rows(frame.planes[1])[...] = 7
    assert plane_rows(frame.planes[1]).shape == (2, frame.planes[1].line_size)
    assert set(bytes(frame.planes[1])) == {7}
