from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputNotFoundError, MaskError
from ptfan.engine.live.live_mask import LiveMask
from ptfan.engine.masks import open_mask


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
    assert mask.at(0, 12, 8)[0].nonzero()[0].tolist() == [0, 1, 2]
    before = mask.at(1, 12, 8)
    assert mask.at(2, 12, 8) is before, "nothing is read again while nothing changes"
    write(slice(5, 7))
    assert mask.at(3, 12, 8)[0].nonzero()[0].tolist() == [5, 6]
    assert told == [f"mask {path}: has changed; the new one holds from frame 3 on"]
    path.write_bytes(b"half a fi")
    assert mask.at(4, 12, 8)[0].nonzero()[0].tolist() == [5, 6]
    assert mask.at(5, 12, 8)[0].nonzero()[0].tolist() == [5, 6]
    assert len(told) == 2
    assert told[1].endswith("; the mask before stays")
    path.unlink()
    assert mask.at(6, 12, 8)[0].nonzero()[0].tolist() == [5, 6]
    write(slice(1, 2))
    assert mask.at(7, 12, 8)[0].nonzero()[0].tolist() == [1]
    mask.close()


def test_a_mask_that_is_bad_to_begin_with_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    with pytest.raises(InputNotFoundError, match="no such file"):
        LiveMask(path, partial(open_mask, path), print)
    path.write_bytes(b"no picture")
    with pytest.raises(MaskError):
        LiveMask(path, partial(open_mask, path), print)
