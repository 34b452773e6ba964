from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from ptfan.engine.media.stream_trial import first_packets, held_streams


@pytest.mark.parametrize(
    ("target", "held"),
    [("matroska", {1, 2, 3}), ("mp4", {1}), ("mov", {1}), ("webm", set()), ("mpegts", {1}), ("avi", {1})],
)
def test_a_stream_is_held_if_it_comes_back_as_it_was(target: str, held: set[int], clip: Callable[..., Path]):
    path = clip("in.mkv", frames=25, audio="aac", subtitles=[(0.1, 0.5, "hello")], attachment=b"font")
    with av.open(str(path)) as container:
        others = list(container.streams)[1:]
        assert held_streams(others, first_packets(container, others), target) == held


@pytest.mark.parametrize(("codec", "held"), [("pcm_s16le", {1}), ("aac", set())])
def test_a_container_that_needs_pictures_is_tried_with_some(codec: str, held: set[int], clip: Callable[..., Path]):
    with av.open(str(clip("in.mkv", audio=codec))) as container:
        others = list(container.streams)[1:]
        assert held_streams(others, first_packets(container, others), "mxf") == held
