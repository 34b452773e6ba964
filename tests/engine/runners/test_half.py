"""The fast way against NumPy's."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from ptfan.engine.runners import half
from ptfan.engine.runners.half import cast


@pytest.fixture(params=["OpenCV", "NumPy"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go both ways, whichever OpenCV is here."""
    if request.param == "NumPy":
        monkeypatch.setattr(half, "_opencv_casts", lambda: False)
    elif not half._opencv_casts():
        pytest.skip(f"OpenCV {cv2.__version__} does not calculate in half precision")


def test_every_half_becomes_the_single_that_it_is() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(64, 1024)
    single = cast(every, np.float32)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, every.astype(np.float32))


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_singles_are_rounded_as_numpy_rounds_them() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 1 << 32, 1 << 18, dtype=np.uint32)
    near = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    near = near[np.isfinite(near)]
    between = near + np.abs(near) * np.float32(2.0**-11)  # halfway to the next, where ties are
    for singles in (bits.view(np.float32), near, between, np.nextafter(between, np.float32(0))):
        np.testing.assert_array_equal(cast(singles, np.float16), singles.astype(np.float16))


@pytest.mark.parametrize("shape", [(), (0,), (4,), (1, 4), (1023,), (3, 5, 97), (2, 7, 33, 65)])
def test_arrays_of_any_shape(shape: tuple[int, ...]) -> None:
    singles = np.random.default_rng(0).random(shape, np.float32)
    halves = cast(singles, np.float16)
    assert halves.shape == shape
    np.testing.assert_array_equal(halves, singles.astype(np.float16))
    np.testing.assert_array_equal(cast(halves, np.float32), halves.astype(np.float32))


def test_it_is_written_where_it_is_wanted() -> None:
    singles = np.random.default_rng(0).random((3, 40, 30), np.float32)
    for dtype in (np.float16, np.float32):
        out: Any = np.zeros((3, 40, 30), dtype)
        assert cast(singles, dtype, out) is out
        np.testing.assert_array_equal(out, singles.astype(dtype))


def test_gaps_are_closed_and_what_needs_nothing_is_passed_on() -> None:
    singles = np.random.default_rng(0).random((3, 40, 60), np.float32)
    for dtype in (np.float16, np.float32):
        found = cast(singles[..., ::2], dtype)
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, singles[..., ::2].astype(dtype))
    assert cast(singles, np.float32) is singles
    np.testing.assert_array_equal(cast(singles > 0.5, np.float16), (singles > 0.5).astype(np.float16))
