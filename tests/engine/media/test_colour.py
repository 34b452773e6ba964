from __future__ import annotations

import pytest

from ptfan.engine.media.colour import ColourTags
from tests.engine.media.timed_frame import timed_frame


@pytest.mark.parametrize(
    ("old", "new", "tags"),
    [
        ("yuv420p", "yuv444p", ColourTags(9, 1, 9, 16)),
        ("rgb24", "yuv420p", ColourTags(1, 1, 1, 13)),
        ("rgb24", "yuvj420p", ColourTags(1, 2, 1, 13)),
        ("yuv420p", "yuvj420p", ColourTags(9, 2, 9, 16)),
        ("yuv420p", "rgb24", ColourTags(0, 2, 9, 16)),
    ],
)
def test_tags_after_conversion(old: str, new: str, tags: ColourTags):
    assert ColourTags(9, 1, 9, 16).converted(old, new) == tags


def test_tags_are_read_as_they_are_written():
    frame = timed_frame(0)
    ColourTags(9, 2, 9, 16).write(frame)
    assert ColourTags.of(frame) == ColourTags(9, 2, 9, 16)
