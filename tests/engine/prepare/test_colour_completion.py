from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.models import COLOUR_MODEL, colour_model, shipped_models
from ptfan.engine.prepare.colour_completion import LearnedColours, colour_inputs
from ptfan.engine.prepare.propagation import propagate
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.runner import Arrays
from tests.engine.fake_helper import FakeHelper

HEIGHT, WIDTH = 64, 128


def add_constants(inputs: Arrays) -> dict[str, NDArray[Any]]:
    """Return another constant more for each colour of what is hole."""
    added = np.array([0.1, -0.1, 5.0], np.float32)[:, None, None]
    return {"completed": inputs["picture"] + added * (inputs["hole"] > 0)}


def colour_network() -> FakeHelper:
    return FakeHelper("colour", add_constants)


def hole(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), bool)
    mask[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    return mask


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0.3, 0.6, (height, width, 3)).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 3))
def test_what_is_added_stays_in_the_hole_and_in_range(height: int, width: int, frames: int) -> None:
    network, mask = colour_network(), hole(height, width)
    mask[height // 2, width // 2] = True
    pictures = [noise(height, width, seed) for seed in range(frames)]
    before = [picture.copy() for picture in pictures]
    confidences = [1 - mask.astype(np.float32)] * frames
    completed = LearnedColours(network)(pictures, confidences, [mask] * frames)
    assert all(side % 16 == 0 for side in network.calls[0]["picture"].shape[2:])
    for picture, old, kept in zip(completed, before, pictures, strict=True):
        assert np.array_equal(kept, old)
        assert np.array_equal(picture[~mask], old[~mask])
        assert picture.min() >= 0
        assert picture.max() <= 1
        assert np.all(picture[mask][:, 2] >= old[mask][:, 2])


def test_the_answer_is_enlarged_into_the_hole() -> None:
    picture, mask = noise(HEIGHT, WIDTH), hole()
    (completed,) = LearnedColours(colour_network())([picture], [1 - mask.astype(np.float32)], [mask])
    deep = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    np.testing.assert_allclose((completed - picture)[deep][:, :2], [[0.1, -0.1]] * deep.sum(), atol=1e-5)
    assert (completed[deep][:, 2] == 1).all()


def test_what_the_network_is_shown() -> None:
    picture, mask = noise(HEIGHT, WIDTH + 8), hole(HEIGHT, WIDTH + 8)
    confidence = np.where(mask, np.float32(0.25), np.float32(1))
    shown = colour_inputs([picture], [confidence], [mask])
    assert {name: array.shape for name, array in shown.items()} == {
        "picture": (1, 3, 16, 48),
        "confidence": (1, 1, 16, 48),
        "hole": (1, 1, 16, 48),
    }
    columns = (WIDTH + 8) // 4
    blocks = picture.reshape(16, 4, columns, 4, 3).mean((1, 3)).transpose(2, 0, 1)
    np.testing.assert_allclose(shown["picture"][0, :, :, :columns], blocks, atol=1e-6)
    repeated = blocks[:, :, -1:].repeat(48 - columns, 2)
    np.testing.assert_allclose(shown["picture"][0, :, :, columns:], repeated, atol=1e-6)
    np.testing.assert_allclose(shown["confidence"], 1 - 0.75 * shown["hole"], atol=1e-6)


def test_frames_without_a_hole_are_left_out() -> None:
    network = colour_network()
    picture, mask, nothing = noise(HEIGHT, WIDTH), hole(), np.zeros((HEIGHT, WIDTH), bool)
    completed = LearnedColours(network)([picture] * 3, [np.ones_like(picture[..., 0])] * 3, [nothing, mask, nothing])
    assert len(network.calls[0]["picture"]) == 1
    assert completed[0] is picture
    assert not np.array_equal(completed[1], picture)
    assert LearnedColours(network)([picture], [np.ones_like(picture[..., 0])], [nothing]) == [picture]
    assert len(network.calls) == 1


def test_a_network_for_something_else_is_refused() -> None:
    with pytest.raises(ModelError, match="clip form, expected colour"):
        LearnedColours(FakeHelper("clip", add_constants))
    with pytest.raises(ModelError, match="colour form, expected clip"):
        Inpainter(COLOUR_MODEL)
    assert not {COLOUR_MODEL, colour_model()} & set(shipped_models().values())


def test_the_network_that_comes_along_continues_an_edge() -> None:
    # Half of the picture is dark, down to a slanted edge that runs through the hole.
    y, x = np.mgrid[:192, :256]
    image = np.where(y + 0.25 * x > 120, np.float32(0.2), np.float32(0.8))[..., None].repeat(3, 2).astype(np.float32)
    image += np.random.default_rng(0).normal(0, 0.02, image.shape).astype(np.float32)
    mask = np.zeros((192, 256), bool)
    mask[60:130, 80:176] = True
    filled, confidences = propagate([image], [mask], [])
    with open_runner(colour_model(), threads=1) as runner:
        (completed,) = LearnedColours(runner)(filled, confidences, [mask])
    smooth, learned = (np.square(picture - image)[mask].mean() for picture in (filled[0], completed))
    assert learned < 0.8 * smooth


def test_settings_choose_the_completion(texture: Callable[..., NDArray[np.float32]]) -> None:
    with Inpainter(settings=InpaintSettings(colour_completion="smooth")) as plain, Inpainter() as usual:
        image = (texture(HEIGHT, WIDTH) * 255).astype(np.uint8)
        fills = []
        for inpainter in (plain, usual):
            inpainter.push(Frame(image, hole()))
            (done,) = inpainter.flush()
            fills.append(done.composite())
    assert np.array_equal(fills[0][~hole()], fills[1][~hole()])
    assert not np.array_equal(fills[0], fills[1])
    with pytest.raises(InputError, match="colour completion is 'none', expected one of learned, smooth"):
        InpaintSettings(colour_completion="none")  # type: ignore[arg-type]
