from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ptfan.engine.errors import InputError
from ptfan.engine.prepare.flow import estimate_flows
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.ablation.inference import FlowRegime, choose_flows, filled
from ptfan.training.model import Generator, preset

Clip = tuple[list[NDArray[np.uint8]], list[NDArray[np.bool_]]]


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Six frames of 96x64 that move three pixels a frame, with a stationary hole."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).random((64, 120, 3)).astype(np.float32), (0, 0), 2.0)
    texture = np.rint(255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)
    hole = np.zeros((64, 96), bool)
    hole[20:44, 36:60] = True
    return [np.ascontiguousarray(texture[:, 3 * t : 3 * t + 96]) for t in range(6)], [hole] * 6


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(preset("s")).eval()


def floats(images: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    return [image.astype(np.float32) / np.float32(255) for image in images]


def test_a_window_of_the_whole_clip_is_the_network_itself(clip: Clip, generator: Generator) -> None:
    images, holes = clip
    arrays = clip_inputs(floats(images), holes, estimate_flows(floats(images), holes), "propagated")
    with torch.no_grad():
        fill = generator(*(torch.from_numpy(arrays[name]) for name in CLIP_INPUTS)).permute(0, 2, 3, 1).numpy()
    for t, result in enumerate(filled(generator, images, holes)):
        np.testing.assert_array_equal(result[~holes[t]], images[t][~holes[t]])
        expected = np.rint(np.clip(fill[t], 0, 1) * 255)[holes[t]]
        np.testing.assert_allclose(result[holes[t]], expected, atol=1)


def test_what_stands_in_the_hole_matters_to_the_complete_flow_alone(clip: Clip, generator: Generator) -> None:
    images, holes = clip
    other = np.random.default_rng(1).integers(0, 256, images[0].shape, dtype=np.uint8)
    spoiled = [
        np.where(hole[..., None], np.roll(other, 7 * t, 0), image)
        for t, (image, hole) in enumerate(zip(*clip, strict=True))
    ]
    regimes: dict[FlowRegime, bool] = {"completed": True, "estimated": True, "complete": False}
    for flow, same in regimes.items():
        first, second = (filled(generator, given, holes, flow=flow)[2][holes[2]] for given in (images, spoiled))
        assert np.array_equal(first, second) is same


def test_short_windows_give_every_frame_once(clip: Clip, generator: Generator) -> None:
    images, holes = clip
    results = filled(generator, images, holes, window=3)
    assert len(results) == 6
    whole = filled(generator, images, holes)
    assert any((a != b).any() for a, b in zip(results, whole, strict=True))


def test_the_complete_flow_is_the_motion_and_the_raw_one_is_not(clip: Clip) -> None:
    images, holes = clip
    error = {}
    regimes: tuple[FlowRegime, ...] = ("complete", "completed", "estimated")
    for regime in regimes:
        pair = choose_flows(floats(images), holes, regime)[2]
        error[regime] = float(np.abs(pair.forward[holes[2]] - np.array((-3, 0))).mean())
        assert pair.forward.shape == (64, 96, 2)
    assert error["complete"] < 0.2
    assert error["completed"] < 0.5 < error["estimated"]


def test_sizes_that_do_not_fit_are_refused(clip: Clip, generator: Generator) -> None:
    images, holes = clip
    with pytest.raises(InputError, match="frames are 96x60, expected multiples of 8; give another --size"):
        filled(generator, [image[:60] for image in images], [hole[:60] for hole in holes])
