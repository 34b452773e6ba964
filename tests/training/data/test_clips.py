from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.media import open_source
from ptfan.training.data.clips import ImageFrames, VideoFrames


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


def test_an_image_of_more_pixels_than_any_is_named(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    assert cv2.imwrite(str(path), np.zeros((8, 8), np.uint8))
    content = path.read_bytes()
    head = b"IHDR" + struct.pack(">II", 60000, 60000) + content[24:29]
    path.write_bytes(content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:])
    with pytest.raises(InputError, match=r"1\.png: cannot be read; expected"):
        list(ImageFrames((path,)).read(0, None))
