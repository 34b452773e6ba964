from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputNotFoundError, MaskError
from ptfan.engine.live.live_mask import LiveMask
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import Sample, StreamInfo

TICK = Fraction(1, 10)
"""Seconds from one frame to the next."""


def sample(index: int, width: int = 12, height: int = 8) -> Sample:
    """Return a picture of a source whose clock shows three seconds at its first one."""
    return Sample(
        index,
        np.zeros((height, width, 3), np.uint8),
        pts=30 + index,
        time_base=TICK,
        native=av.VideoFrame(width, height, "rgb24"),
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[[slice], Path]:
    """Return a function that writes a mask whose hole is some of its columns, in the place of the one before."""

    def write(columns: slice) -> Path:
        picture = np.zeros((8, 12), np.uint8)
        picture[:, columns] = 255
        beside = tmp_path / "new.png"
        cv2.imwrite(str(beside), picture)
        return beside.replace(tmp_path / "mask.png")

    return write


def test_a_new_mask_is_taken_up_and_a_bad_one_is_not(write: Callable[[slice], Path]) -> None:
    told: list[str] = []
    path = write(slice(0, 3))
    mask = LiveMask(path, partial(open_mask, path, warn=told.append), told.append)
    assert mask.hole_of(sample(0))[0].nonzero()[0].tolist() == [0, 1, 2]
    before = mask.hole_of(sample(1))
    assert mask.hole_of(sample(2)) is before, "nothing is read again while nothing changes"
    write(slice(5, 7))
    assert mask.hole_of(sample(3))[0].nonzero()[0].tolist() == [5, 6]
    assert told == [f"mask {path}: has changed; the new one holds from frame 3 on"]
    path.write_bytes(b"half a fi")
    assert mask.hole_of(sample(4))[0].nonzero()[0].tolist() == [5, 6]
    assert mask.hole_of(sample(5))[0].nonzero()[0].tolist() == [5, 6]
    assert len(told) == 2
    assert told[1].endswith("; the mask before stays")
    path.unlink()
    assert mask.hole_of(sample(6))[0].nonzero()[0].tolist() == [5, 6]
    write(slice(1, 2))
    assert mask.hole_of(sample(7))[0].nonzero()[0].tolist() == [1]
    mask.close()


def test_a_mask_that_is_bad_to_begin_with_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    with pytest.raises(InputNotFoundError, match="no such file"):
        LiveMask(path, partial(open_mask, path), print)
    path.write_bytes(b"no picture")
    with pytest.raises(MaskError):
        LiveMask(path, partial(open_mask, path), print)


def test_a_mask_video_of_another_rate_is_followed_from_where_it_is_taken_up(tmp_path: Path) -> None:
    def film(path: Path, first: int) -> Path:
        with av.open(str(path), "w", format="matroska") as container:
            stream: Any = container.add_stream("ffv1", rate=5)
            stream.width, stream.height, stream.pix_fmt = 32, 16, "gray"
            for number in range(20):
                picture = np.zeros((16, 32), np.uint8)
                picture[:, first + number] = 255
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
            container.mux(stream.encode(None))
        return path

    path, told = film(tmp_path / "mask.mkv", 0), list[str]()
    mask = LiveMask(path, partial(open_mask, path, warn=told.append), told.append)
    mask.follow(
        StreamInfo(name="x", width=32, height=16, depth=8, pixel_format="gray", time_base=TICK, rate=Fraction(10))
    )
    columns = [int(mask.hole_of(sample(index, 32, 16))[0].argmax()) for index in range(6)]
    film(tmp_path / "new.mkv", 9).replace(path)
    columns += [int(mask.hole_of(sample(index, 32, 16))[0].argmax()) for index in range(6, 10)]
    mask.close()
    assert columns == [0, 0, 1, 1, 2, 2, 9, 9, 10, 10]
    assert sum("5 masks a second for 10 frames" in line for line in told) == 2
