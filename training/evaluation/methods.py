"""What fills holes: models in the runtime, and the methods without a network that a model has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Frame, Mask
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.models import file_sha256
from ptfan.engine.prepare.carry_rules import CarryRules
from ptfan.engine.prepare.flow import FlowPair, estimate_flows, smooth_completion
from ptfan.engine.prepare.propagation import propagate
from ptfan.engine.runners.choice import choose_file
from ptfan.training.data.pixels import Floats, Pixels, to_bytes, to_floats

__all__ = ["BASELINES", "Method", "baseline_methods", "model_methods", "plain_flows", "propagation", "telea"]

Fill = Callable[[Sequence[Pixels], Sequence[Mask]], list[Pixels]]
"""From T frames (H, W, 3) uint8 RGB and T holes (H, W) to T filled frames; known pixels stay as they are."""
PLAIN_RULES = CarryRules(blind=0.9, faint=0.35, settling=0.0, sharp=False, lit=False)
"""Pixels are carried over nine frames."""
RADIUS = 3
"""Telea's neighbourhood, pixels."""


@dataclass(frozen=True, eq=False)
class Method:
    """Something that fills holes, by name."""

    name: str
    """What reports call it."""
    fingerprint: str
    """Tells it from another that had the same name before."""
    fill: Fill
    """The method itself."""


def telea(images: Sequence[Pixels], holes: Sequence[Mask]) -> list[Pixels]:
    """Fill each frame by itself with the fast marching method (Telea, 2004), as OpenCV has it."""
    return [_telea(image, hole) for image, hole in zip(images, holes, strict=True)]


def propagation(images: Sequence[Pixels], holes: Sequence[Mask]) -> list[Pixels]:
    """Carry known pixels along the completed flow over the whole clip, both ways; fill the rest by `telea`."""
    floats = [to_floats(image) for image in images]
    filled, confidence = propagate(floats, holes, plain_flows(floats, holes), rules=PLAIN_RULES)
    return [
        _telea(np.where(hole[..., None], to_bytes(done), image), reached == 0)
        for done, reached, image, hole in zip(filled, confidence, images, holes, strict=True)
    ]


def plain_flows(images: Sequence[Floats], holes: Sequence[Mask]) -> list[FlowPair]:
    """Return the flow of the plain propagation: estimated outside the hole, completed smoothly (pull-push) inside.

    What the runtime does beyond that is left out by name, so that the baseline stays what it is.
    """
    return estimate_flows(images, holes, completion=smooth_completion, refine=False)


BASELINES: dict[str, Fill] = {"telea": telea, "propagation": propagation}
"""The baselines by name."""


def baseline_methods(names: Sequence[str]) -> list[Method]:
    """Return the baselines that are named.

    Raises:
        InputError: there is no such baseline.
    """
    for name in names:
        if name not in BASELINES:
            raise InputError(f"baseline {name!r} is not known, expected one of {', '.join(BASELINES)}")
    return [Method(name, f"baseline {name}", BASELINES[name]) for name in names]


@contextmanager
def model_methods(models: Sequence[str], settings: InpaintSettings) -> Iterator[list[Method]]:
    """Open models as methods, each in the runtime that users run: what is scored is what is shipped.

    They stay open together, for every clip is read once and shown to all of them; the end of the context closes them.

    Args:
        models: each a model of the package by name, an ONNX file or a checkpoint (.safetensors); `NAME=FILE` names it.
        settings: how the runtime prepares frames.

    Raises:
        InputNotFoundError: there is no such model.
    """
    with ExitStack() as opened:
        yield [
            _model_method(name, model, opened.enter_context(Inpainter(model, settings=settings)))
            for name, model in map(_named, models)
        ]


def _named(model: str) -> tuple[str, str]:
    name, equals, path = model.partition("=")
    named = equals and "/" not in name and not Path(model).is_file()
    return (name, path) if named else (Path(model).stem, model)


def _model_method(name: str, model: str, inpainter: Inpainter) -> Method:
    settings = inpainter.settings

    def fill(images: Sequence[Pixels], holes: Sequence[Mask]) -> list[Pixels]:
        done = []
        for image, hole in zip(images, holes, strict=True):
            done += inpainter.push(Frame(image, hole))
        return [np.asarray(frame.composite(), np.uint8) for frame in done + inpainter.flush()]

    files = [choose_file(model, backend=settings.backend, gpu=settings.gpu), *inpainter.helpers.values()]
    return Method(name, f"{' '.join(map(file_sha256, files))} {settings}", fill)


def _telea(image: Pixels, hole: Mask) -> Pixels:
    if not hole.any():
        return image
    inpainted = cv2.inpaint(image, hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)
    return np.asarray(np.where(hole[..., None], inpainted, image), np.uint8)
