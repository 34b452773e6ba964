"""Synthetic clips, and a network that needs no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.runners.runner import BoundRunner, Runner
from ptfan.engine.spec import CLIP_CHANNELS, ModelSpec, StateSpec

Pictures = list[NDArray[np.float32]]


def make_texture(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Return (H, W, 3) in [0, 1]: coloured noise of several sizes."""
    noise = np.random.default_rng(seed).random((height, width, 3), np.float32)
    layers = [cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 4.0, 9.0)]
    mixed = np.sum(layers, axis=0)
    scaled: NDArray[np.float32] = (mixed - mixed.min()) / (mixed.max() - mixed.min())
    return scaled.astype(np.float32)


def make_pan(frames: int, height: int, width: int, *, dx: int = 3, dy: int = 1, seed: int = 0) -> Pictures:
    """Return a clip whose content moves by (-dx, -dy) pixels a frame."""
    wide = make_texture(height + abs(dy) * frames, width + abs(dx) * frames, seed)
    lefts, tops = ([step * t if step >= 0 else -step * (frames - t) for t in range(frames)] for step in (dx, dy))
    return [wide[top : top + height, left : left + width].copy() for top, left in zip(tops, lefts, strict=True)]


def make_clip(frames: int, seed: int = 0, height: int = 8, width: int = 16) -> dict[str, NDArray[np.float32]]:
    """Return noise for all that a network takes."""
    rng = np.random.default_rng(seed)
    return {name: rng.random((frames, channels, height, width), np.float32) for name, channels in CLIP_CHANNELS.items()}


class FakeRunner(Runner):
    """A network for tests: `answer` maps the inputs to `fill`; every call's inputs are kept."""

    backend = "fake"

    def __init__(self, spec: ModelSpec, answer: Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]]) -> None:
        super().__init__(Path("fake.onnx"), spec)
        self.answer = answer
        self.calls: list[dict[str, NDArray[Any]]] = []
        self.closed = False

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.calls.append(dict(inputs))
        return {"fill": self.answer(inputs)}

    def close(self) -> None:
        self.closed = True


def make_runner(
    answer: Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]] = lambda inputs: inputs["frames"], **spec: Any
) -> FakeRunner:
    """Return a fake network that gives back its `frames` unless told otherwise."""
    values: dict[str, Any] = {"name": "fake", "window": 6, "stride": 3, "lookahead": 1, "fill": "propagated", **spec}
    return FakeRunner(ModelSpec(**values), answer)


class FakeStepRunner(FakeRunner, BoundRunner):
    """A step model for tests: the mean of a frame and its neighbours, those of the stream alone, one step late.

    What it gives for a frame of a whole clip, `expected` says.
    """

    def __init__(self, **spec: Any) -> None:
        carried = (StateSpec(name="seen", channels=3, size=1, delays=(1, 2)),)
        values = {"name": "fake", "window": 6, "stride": 3, "lookahead": 1, "fill": "zero", **spec}
        super().__init__(ModelSpec(form="step", carried=carried, **values), lambda inputs: inputs["frames"])

    def allocate(self, shape: tuple[int, ...], precision: str) -> NDArray[Any]:
        return np.zeros(shape, {"fp32": np.float32, "fp16": np.float16}[precision])

    def copy_stream(self, source: NDArray[Any], into: NDArray[Any], stream: int) -> None:
        into[stream] = source[stream]

    def run_into(self, inputs: Mapping[str, NDArray[Any]], into: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.calls.append({name: array.copy() for name, array in inputs.items()})
        live = inputs["live"].reshape(*inputs["live"].shape, 1, 1, 1)
        pictures = (inputs["frames"], inputs["seen.1"], inputs["seen.2"])
        # A neighbour that is none may hold anything: it must not count.
        total = sum(np.where(live[:, d] > 0, picture, 0) for d, picture in enumerate(pictures))
        into["seen"][:] = inputs["frames"]
        return {"fill": (total / np.maximum(live.sum(axis=1), 1)).astype(np.float32)}

    @staticmethod
    def expected(pictures: list[NDArray[np.float32]], t: int) -> NDArray[np.float32]:
        near = pictures[max(0, t - 1) : t + 2]
        return np.asarray(sum(near) / np.float32(len(near)), np.float32)


@pytest.fixture
def step_runner() -> Callable[..., FakeStepRunner]:
    """Return a function that makes fake step models."""
    return FakeStepRunner


@pytest.fixture
def texture() -> Callable[..., NDArray[np.float32]]:
    return make_texture


@pytest.fixture
def pan() -> Callable[..., Pictures]:
    return make_pan


@pytest.fixture
def runner() -> Callable[..., FakeRunner]:
    return make_runner
