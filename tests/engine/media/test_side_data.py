"""Side data is read without keeping the frame."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from ptfan.engine.media import open_source
from ptfan.engine.media.side_data import read_side_data

QUARTER = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


@pytest.fixture
def no_cycle_search() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def live_frames() -> int:
    # By type, not by isinstance: that asks proxies for their class, and some of torch's warn when they are asked.
    return sum(issubclass(type(item), av.VideoFrame) for item in gc.get_objects())


@pytest.mark.usefixtures("no_cycle_search")
def test_decoded_frames_are_freed_at_once(clip: Callable[..., Path]) -> None:
    before = live_frames()
    most = 0
    with open_source(clip(frames=30, width=32, height=32)) as source:
        for _ in source:
            most = max(most, live_frames() - before)
    assert most <= 6  # what the converters hold, and the one at hand


@pytest.mark.skipif(not hasattr(av.VideoStream, "set_display_matrix"), reason="this PyAV writes no display matrix")
def test_names_and_bytes_are_those_of_the_frame(clip: Callable[..., Path]) -> None:
    with av.open(str(clip(frames=2, matrix=QUARTER))) as container:
        frame = next(container.decode(video=0))
        kept: Any = frame.side_data
        expected = {item.type.name: bytes(item) for item in (kept[place] for place in range(len(kept)))}
        assert "DISPLAYMATRIX" in expected
        assert read_side_data(frame) == expected
