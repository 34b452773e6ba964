from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from ptfan.engine.media import hdr
from ptfan.engine.media.hdr import Hdr

RED, GREEN, BLUE, WHITE = (34000, 50000, 16000, 50000), (13250, 50000, 34500, 50000), (15, 100, 6, 100), (1, 3, 1, 3)
LEAST, MOST = (50, 10000), (1000, 1)


def _display(*known: int) -> bytes:
    return struct.pack("22i", *RED, *GREEN, *BLUE, *WHITE, *LEAST, *MOST, *known)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            {"MASTERING_DISPLAY_METADATA": _display(1, 1), "CONTENT_LIGHT_LEVEL": struct.pack("2I", 1000, 400)},
            Hdr("G(13250,34500)B(7500,3000)R(34000,16000)WP(16667,16667)L(10000000,50)", "1000,400"),
        ),
        (
            {"MASTERING_DISPLAY_METADATA": _display(1, 0), "CONTENT_LIGHT_LEVEL": struct.pack("2I", 9, 0)},
            Hdr(None, "9,0"),
        ),
        ({"MASTERING_DISPLAY_METADATA": bytes(88), "CONTENT_LIGHT_LEVEL": bytes(8)}, None),
        ({"MASTERING_DISPLAY_METADATA": b"short"}, None),
        (None, None),
    ],
)
def test_what_ffmpeg_keeps_becomes_what_encoders_read(
    found: dict[str, bytes] | None, expected: Hdr | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hdr, "read_side_data", lambda frame: found)
    assert Hdr.of(av.VideoFrame(16, 16, "yuv420p")) == expected


def test_an_ordinary_frame_says_nothing(clip: Callable[..., Path]):
    with av.open(str(clip(frames=2))) as container:
        assert Hdr.of(next(container.decode(video=0))) is None
