from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import UnreadableError
from ptfan.engine.media.video_file import VideoFile

Clips = Callable[..., Path]


def decoded(frames: Iterable[av.VideoFrame]) -> list[tuple[int, NDArray[np.uint8]]]:
    return [(frame.pts or 0, np.asarray(frame.to_ndarray(format="gray"), np.uint8)) for frame in frames]


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("mpeg2video", {"bf": "2"}),
        ("mpeg2video", {"bf": "0"}),
        ("mpeg4", {"bf": "2"}),
        ("libx264", {"bf": "3"}),
        ("libx264", {"tune": "zerolatency"}),
    ],
)
def test_a_live_stream_gives_the_same_frames_in_the_same_order(
    clip: Clips, codec: str, options: dict[str, str]
) -> None:
    """Also where frames are coded in another order than they are shown in."""
    path = str(clip("a.ts", codec=codec, options=options, frames=25))
    expected, got = decoded(VideoFile(path).frames()), decoded(VideoFile(path, live=True).frames())
    assert len(got) == 25
    assert all(before < after for (before, _), (after, _) in pairwise(got))
    for (moment, picture), (expected_moment, expected_picture) in zip(got, expected, strict=True):
        assert moment == expected_moment
        np.testing.assert_array_equal(picture, expected_picture)


def test_a_playlist_is_read_live_only(clip: Clips) -> None:
    """In a file that somebody hands over, it could name any other file."""
    part = clip("part.ts")
    path = part.with_name("a.m3u8")
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{part.name}\n#EXT-X-ENDLIST\n")
    assert len(decoded(VideoFile(str(path), live=True).frames())) == 10
    with pytest.raises(UnreadableError, match="is a text file, not a video"):
        VideoFile(str(path))
