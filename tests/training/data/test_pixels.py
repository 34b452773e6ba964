"""Bytes become floats and come back as they were."""

from __future__ import annotations

import numpy as np

from ptfan.training.data.pixels import to_bytes, to_floats


def test_every_byte_comes_back() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    floats = to_floats(every)
    assert floats.dtype == np.float32
    assert floats.min() == 0.0
    assert floats.max() == 1.0
    assert np.array_equal(to_bytes(floats), every)


def test_what_lies_outside_is_cut_off_and_the_rest_rounded() -> None:
    assert to_bytes(np.array([-1.0, 0.4 / 255, 0.6 / 255, 7.0])).tolist() == [0, 0, 1, 255]
