"""A generator on whole frames, along a flow of one's choice: what the runtime, which knows one flow, cannot compare."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
import torch

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Mask
from ptfan.engine.inpainter import InpaintSettings, window_and_stride
from ptfan.engine.prepare.flow import DisFlow, FlowPair, complete_flows, estimate_flows, judged
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.prepare.window import Windower
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.data.pixels import Floats, Pixels, to_bytes, to_floats
from ptfan.training.model import Generator
from ptfan.training.spec import generator_spec

__all__ = ["FlowRegime", "choose_flows", "filled"]

FlowRegime = Literal["completed", "estimated", "complete"]
"""`completed`: estimated round the hole, completed inside. `estimated`: with zeros in the hole, taken as it is.
`complete`: of the complete frames, which no use of the network can know."""


@torch.inference_mode()
def filled(
    generator: Generator,
    images: Sequence[Pixels],
    holes: Sequence[Mask],
    *,
    flow: FlowRegime = "completed",
    window: int | None = None,
) -> list[Pixels]:
    """Fill the holes of a clip, window by window; pixels are carried within a window alone.

    Args:
        generator: in evaluation mode, on the CPU.
        images: T complete frames (H, W, 3) RGB, whose sides are multiples of 8.
        holes: T masks (H, W).
        flow: along which flow.
        window: frames in a window; None takes the model's own.

    Raises:
        InputError: a side is no multiple of 8.
    """
    multiple = generator.config.size_multiple
    height, width = holes[0].shape
    if height % multiple or width % multiple:
        raise InputError(
            f"ablation: frames are {width}x{height}, expected multiples of {multiple}; give another --size"
        )
    floats = [to_floats(image) for image in images]
    flows = choose_flows(floats, holes, flow)
    results: list[Pixels] = []
    for span, keep in _windows(
        len(images), *window_and_stride(generator_spec(generator), InpaintSettings(window=window))
    ):
        start, stop = span.start, span.stop
        arrays = clip_inputs(floats[start:stop], holes[start:stop], flows[start : stop - 1], generator.config.fill)
        fill = generator(*(torch.from_numpy(arrays[name]) for name in CLIP_INPUTS)).permute(0, 2, 3, 1).numpy()
        results += [_composite(images[start + t], holes[start + t], fill[t]) for t in keep]
    return results


def choose_flows(images: Sequence[Floats], holes: Sequence[Mask], regime: FlowRegime) -> list[FlowPair]:
    """Return the flow between the T frames of a clip: T - 1 pairs.

    Args:
        images: T complete frames (H, W, 3), RGB in [0, 1].
        holes: T masks (H, W).
        regime: which flow.
    """
    if regime == "completed":
        return estimate_flows(images, holes)
    if regime == "complete":
        return complete_flows(images)
    pictures = [_blanked(image, hole) for image, hole in zip(images, holes, strict=True)]
    estimator = DisFlow()
    return [judged(estimator(first, second), estimator(second, first)) for first, second in pairwise(pictures)]


def _blanked(image: Floats, hole: Mask) -> Pixels:
    """Return the luminance (H, W), 0 in the hole."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    return np.where(hole, np.uint8(0), to_bytes(grey))


def _windows(frames: int, window: int, stride: int) -> list[tuple[range, range]]:
    """Return the frames of each window, and which of its places are kept."""
    windower: Windower[int] = Windower(window, stride)
    found = [windower.push(t) for t in range(frames)] + [windower.flush()]
    return [(range(entry.items[0], entry.items[-1] + 1), entry.keep) for entry in found if entry is not None]


def _composite(image: Pixels, hole: Mask, fill: Floats) -> Pixels:
    return np.where(hole[..., None], to_bytes(fill), image)
