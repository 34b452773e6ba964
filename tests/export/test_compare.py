"""How errors are measured, and when they are too large."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ptfan.engine.errors import ToleranceError
from ptfan.engine.models import find_model
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.spec import CLIP_CHANNELS
from ptfan.export.compare import Comparison, compare_arrays, run_clip


def clip(value: float = 0.5) -> Any:
    return np.full((2, 3, 4, 5), value, np.float32)


def test_equal() -> None:
    comparison = compare_arrays(clip(), clip())
    assert (comparison.worst, comparison.mean, comparison.psnr) == (0, 0, math.inf)
    comparison.check(exact=True)
    comparison.check(exact=False)


def test_the_worst_pixel_is_named() -> None:
    result = clip()
    result[1, 2, 3, 4] += 0.25
    comparison = compare_arrays(clip(), result)
    assert comparison.pixel == (1, 3, 4)
    assert comparison.worst == pytest.approx(0.25)
    assert comparison.mean == pytest.approx(0.25 / result.size)
    assert comparison.psnr == pytest.approx(-10 * math.log10(0.25**2 / result.size))
    assert str(comparison) == "worst error 2.50e-01 (frame 1, y 3, x 4), mean 2.08e-03, PSNR 32.8 dB"


def test_psnr_is_of_what_can_be_seen_and_the_worst_error_of_all() -> None:
    comparison = compare_arrays(clip(3), clip(5))
    assert comparison.psnr == math.inf
    assert comparison.worst == 2


@pytest.mark.parametrize(("error", "passes"), [(9e-5, True), (1.1e-4, False)])
def test_exact_results_are_held_to_the_worst_error(error: float, passes: bool) -> None:
    comparison = Comparison(error, 0.0, math.inf, (0, 0, 0))
    if passes:
        comparison.check(exact=True)
        return
    with pytest.raises(ToleranceError, match=r"^ONNX Runtime differs from torch: worst error 1.10e-04 [^\n]*1.0e-04$"):
        comparison.check(exact=True)


@pytest.mark.parametrize(("value", "passes"), [(-30, True), (2, False), (0.5, False)])
def test_the_worst_error_counts_against_values_that_no_picture_has(value: float, passes: bool) -> None:
    reference = clip()
    reference[0, 0, 0, 0] = value
    result = reference.copy()
    result[1, 1, 1, 1] += 5e-4
    comparison = compare_arrays(reference, result)
    assert comparison.peak == abs(value)
    if passes:
        comparison.check(exact=True)
        return
    with pytest.raises(ToleranceError, match=f"expected at most {1e-4 * max(1, value):.1e}$"):
        comparison.check(exact=True)


@pytest.mark.parametrize(("psnr", "passes"), [(45.0, True), (44.9, False)])
def test_rounded_results_are_held_to_the_psnr(psnr: float, passes: bool) -> None:
    comparison = Comparison(0.5, 0.1, psnr, (4, 3, 2))
    if passes:
        comparison.check(exact=False)
        return
    with pytest.raises(
        ToleranceError, match=r"^[^\n]*\(frame 4, y 3, x 2\)[^\n]*PSNR 44.9 dB; expected at least 45 dB$"
    ):
        comparison.check(exact=False)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("exact", [True, False])
def test_what_is_not_finite_passes_nothing(poison: float, exact: bool) -> None:
    result = clip()
    result[1, 0, 2, 3] = poison
    comparison = compare_arrays(clip(), result)
    assert comparison.pixel == (1, 2, 3)
    with pytest.raises(ToleranceError):
        comparison.check(exact=exact)


def test_a_model_of_the_clip_form_is_shown_a_clip_at_once() -> None:
    with open_runner(find_model("s-window"), threads=1) as runner:
        random = np.random.default_rng(0)
        clip = {name: random.random((3, channels, 16, 24), np.float32) for name, channels in CLIP_CHANNELS.items()}
        fill = run_clip(runner, clip)
        assert fill.shape == (3, 3, 16, 24)
        assert np.array_equal(fill, runner.run(clip)["fill"])
