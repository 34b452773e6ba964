from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ptfan.engine.fillers.filler import WindowFiller, make_patch
from ptfan.engine.frame import Box, Frame
from ptfan.engine.prepare.crop import CropRules, fit_crop
from ptfan.engine.prepare.preparer import Preparer, PreparerSettings, Window

HEIGHT, WIDTH = 32, 48


def windows(frames: int, **settings: Any) -> list[Window]:
    """Return what a clip of noise with a hole in its middle is prepared to."""
    rng, hole = np.random.default_rng(0), np.zeros((HEIGHT, WIDTH), bool)
    hole[8:24, 12:28] = True
    values: dict[str, Any] = {"window": 6, "stride": 6, "rules": CropRules(), "fill": "propagated", **settings}
    preparer = Preparer(PreparerSettings(**values))
    pictures = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(frames)]
    pushed = [Frame(picture, hole, tag=t) for t, picture in enumerate(pictures)]
    return [window for frame in pushed for window in preparer.push(frame)] + preparer.flush()


def test_the_kept_frames_of_a_window_are_finished_at_once(runner: Callable) -> None:
    filler = WindowFiller(runner(lambda inputs: 0 * inputs["frames"] + 0.5))
    done = [frame for window in windows(9, stride=3) for frame in filler.infer(window)]
    assert list(filler.finish()) == []
    assert [frame.tag for frame in done] == list(range(9))
    for frame in done:
        (patch,) = frame.patches
        assert patch.box == Box(12, 8, 16, 16)
        np.testing.assert_allclose(patch.pixels, 0.5, atol=1e-6)


@pytest.mark.parametrize("fixed", [4, 6])
def test_a_fixed_window_is_filled_up_with_the_last_frame_and_no_flow(runner: Callable, fixed: int) -> None:
    network = runner(fixed_window=fixed, window=fixed)
    (window,) = windows(4)
    assert len(list(WindowFiller(network).infer(window))) == 4
    (inputs,), (job,) = network.calls, window.crops
    for name, array in inputs.items():
        assert len(array) == fixed
        np.testing.assert_array_equal(array[:4], job.arrays[name])
        beyond = 0 if name.startswith(("flow", "validity")) else array[3]
        np.testing.assert_array_equal(array[4:], np.broadcast_to(beyond, array[4:].shape))


def test_only_what_a_crop_shows_of_a_hole_is_patched() -> None:
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[4:8, 4:12] = True
    frame, crop = Frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), hole), fit_crop(Box(8, 0, 16, 16), CropRules())
    image, seen = np.zeros((16, 16, 3), np.float32), hole[:16, 8:24]
    patch = make_patch(crop, image, seen, image + 0.25, frame)
    assert patch is not None
    assert patch.box == Box(8, 4, 4, 4)
    np.testing.assert_allclose(patch.pixels, 0.25)
    elsewhere = fit_crop(Box(24, 8, 16, 16), CropRules())
    assert make_patch(elsewhere, image, np.zeros((16, 16), bool), image, frame) is None
