from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from ptfan.engine.media.decoder import decoder_of, tells_alpha


@pytest.mark.parametrize(
    ("codec", "pixel_format", "alpha"),
    [
        ("libvpx-vp9", "yuva420p", 90),
        ("libvpx", "yuva420p", 90),
        ("libvpx-vp9", "yuv420p", None),
        ("ffv1", "yuva420p", 90),
    ],
)
def test_frames_come_with_their_alpha_and_their_times(
    codec: str, pixel_format: str, alpha: int | None, clip: Callable[..., Path]
):
    options = {"auto-alt-ref": "0"} if "vpx" in codec else {}
    path = clip("in.mkv", codec=codec, pixel_format=pixel_format, alpha=alpha, options=options)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decode = decoder_of(stream)
        frames = [frame for packet in container.demux(stream) for frame in decode(packet)]
        assert tells_alpha(stream) == (alpha is not None and "vpx" in codec)
    assert [frame.format.name for frame in frames] == [pixel_format] * 10
    assert [round(float(frame.time) * 25) for frame in frames] == list(range(10))
