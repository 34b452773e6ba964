"""The models that come with the package, on a real clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter
from ptfan.engine.media import open_source
from ptfan.engine.models import find_model
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.spec import LEAST_PSNR
from ptfan.engine.verify.run import verify

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Return 40 frames of the demo with a box in them."""
    with open_source(DEMO_CLIP) as source:
        images = [sample.image.copy() for sample, _ in zip(source, range(40), strict=False)]
    hole = np.zeros(images[0].shape[:2], bool)
    hole[100:160, 250:350] = True
    return [Frame(image, hole, tag=t) for t, image in enumerate(images)]


def inpainted(model: str, frames: list[Frame]) -> NDArray[np.uint8]:
    with Inpainter(model) as inpainter:
        done = [item for frame in frames for item in inpainter.push(frame)] + inpainter.flush()
    assert [item.tag for item in done] == list(range(len(frames)))
    return np.stack([item.composite() for item in done])


def test_a_frame_at_a_time_gives_what_windows_give(frames: list[Frame]) -> None:
    """They differ where windows meet alone: there a window's outer frames know less than the endless clip's."""
    stepped, windowed = (inpainted(model, frames).astype(int) for model in ("s", "s-window"))
    difference = np.abs(stepped - windowed)
    hole = frames[0].hole
    assert difference[:, ~hole].max() == 0
    assert difference[:, hole].mean() < 0.2
    assert difference.max() <= 24


def test_the_live_model_gives_back_every_frame_at_once(frames: list[Frame]) -> None:
    with Inpainter("s-live") as inpainter:
        assert inpainter.spec.delay == 0
        for frame in frames[:6]:
            (done,) = inpainter.push(frame)
            assert done.tag == frame.tag
            assert np.array_equal(done.composite()[~frame.hole], frame.image[~frame.hole])
            assert not np.array_equal(done.composite()[frame.hole], frame.image[frame.hole])
        assert inpainter.flush() == []


def test_what_the_live_model_gives_does_not_depend_on_what_comes_later(frames: list[Frame]) -> None:
    assert np.array_equal(inpainted("s-live", frames[:12])[:8], inpainted("s-live", frames[:8]))


def test_the_model_between_waits_for_six_frames_and_knows_of_no_more(frames: list[Frame]) -> None:
    with Inpainter("s-soon") as inpainter:
        assert inpainter.spec.delay == 6
        counts = [len(inpainter.push(frame)) for frame in frames[:10]]
        assert counts == [0] * 6 + [1] * 4
    assert np.array_equal(inpainted("s-soon", frames[:16])[:6], inpainted("s-soon", frames[:12])[:6])


@pytest.mark.parametrize("name", ["s", "s-live", "s-soon"])
def test_half_precision_is_the_same_network(name: str) -> None:
    with open_runner(find_model(name)) as full, open_runner(find_model(f"{name}-fp16")) as half:
        assert half.spec == replace(full.spec, precision="fp16", carried=half.spec.carried)
    told: list[str] = []
    found = verify(f"{name}-fp16", warn=told.append)  # against the model that its record names
    assert (found.inpainted, found.reference["path"], told) == (55, str(find_model(name)), [])
    assert found.hole.worst > 0
    assert found.hole.psnr >= LEAST_PSNR


@pytest.mark.parametrize("name", ["s", "s-live", "s-soon"])
def test_int8_is_the_same_network(name: str) -> None:
    with open_runner(find_model(name)) as full, open_runner(find_model(f"{name}-int8")) as small:
        assert small.spec == replace(full.spec, convolutions="int8")
    found = verify(f"{name}-int8", find_model(name))
    assert found.inpainted == 55
    assert found.hole.worst > 0
    assert found.hole.psnr >= 55
