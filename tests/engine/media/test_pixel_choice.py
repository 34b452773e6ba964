from __future__ import annotations

import av
import pytest
from av.video.format import names  # type: ignore[attr-defined]
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.media.pixel_choice import choose_format

NAMES = [name for name in sorted(names) if av.VideoFormat(name).components]
X264 = [item.name for item in av.Codec("libx264", "w").video_formats or ()]
FFV1 = [item.name for item in av.Codec("ffv1", "w").video_formats or ()]


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        ("yuv420p", X264, "yuv420p"),
        ("yuv420p10le", X264, "yuv420p10le"),
        ("yuv420p12le", X264, "yuv420p10le"),
        ("yuv422p12le", X264, "yuv422p10le"),
        ("yuva420p", X264, "yuv420p"),
        ("yuva444p10le", ["yuv444p10le", "yuva420p"], "yuva420p"),
        ("yuv411p", X264, "yuv422p"),
        ("yuyv422", X264, "yuv422p"),
        ("p010le", X264, "yuv420p10le"),
        ("gray12le", X264, "gray10le"),
        ("ya8", X264, "gray"),
        ("nv12", FFV1, "yuv420p"),
        ("yuvj420p", FFV1, "yuv420p"),
        ("rgb24", FFV1, "bgr0"),
        ("rgba", FFV1, "bgra"),
        ("gbrp", ["yuv444p", "rgb24"], "rgb24"),
        ("yuv444p", ["yuv420p", "yuv420p10le"], "yuv420p"),
        ("yuv420p10le", ["cuda", "yuv420p"], "yuv420p"),
        ("yuv420p", ["vaapi", "cuda"], None),
    ],
)
def test_the_format_that_keeps_most(wanted: str, offered: list[str], chosen: str | None):
    assert choose_format(wanted, offered) == chosen


@pytest.mark.parametrize(
    ("wanted", "size", "chosen"),
    [
        ("yuv420p", (61, 48), "yuv444p"),
        ("yuv420p", (64, 47), "yuv422p"),
        ("yuv420p10le", (61, 47), "yuv444p10le"),
        ("yuvj420p", (61, 47), "yuvj444p"),
        ("gray", (61, 47), "gray"),
        ("yuv420p", (64, 48), "yuv420p"),
    ],
)
def test_odd_sizes_need_a_format_without_shared_chroma(wanted: str, size: tuple[int, int], chosen: str):
    assert choose_format(wanted, X264, size) == chosen


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=6))
def test_what_is_wanted_is_taken_when_it_is_there(wanted: str, others: list[str]):
    assert choose_format(wanted, [*others, wanted]) == wanted
    assert choose_format(wanted, others) in others
