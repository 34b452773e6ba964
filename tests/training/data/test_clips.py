from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ptfan.engine.media import open_source
from ptfan.training.data.clips import VideoFrames


def test_frames_are_read_as_the_runtime_shows_them(sideways_clip: Path):
    with open_source(sideways_clip) as source:
        shown = [sample.image for sample in source]
    frames = VideoFrames(sideways_clip)
    assert frames.count() == len(shown) == 10
    for start, stop in [(0, None), (2, 7), (9, None)]:  # frame 2 says nothing of its rotation
        for expected, read in zip(shown[start:stop], frames.read(start, stop), strict=True):
            assert np.array_equal(read, expected)


def test_of_several_streams_the_film_is_read(
    write_video: Callable[..., None], behind_thumbnail: Callable[[Path], Path], tmp_path: Path
) -> None:
    write_video(tmp_path / "film.mp4", [np.full((48, 64, 3), 40 * t, np.uint8) for t in range(5)])
    frames = VideoFrames(behind_thumbnail(tmp_path / "film.mp4"))
    assert frames.count() == 5
    assert [picture.shape for picture in frames.read(0, None)] == [(48, 64, 3)] * 5
