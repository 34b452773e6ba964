"""The arrays that the clip graph takes, made from images, holes and flow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.carrier import Canvas
from ptfan.engine.prepare.flow import FlowPair
from ptfan.engine.prepare.propagation import ColourCompletion, propagate
from ptfan.engine.prepare.settling import Settled
from ptfan.engine.runners.runner import Arrays
from ptfan.engine.spec import Fill

__all__ = ["clip_inputs"]


def clip_inputs(
    images: Sequence[NDArray[np.float32]],
    holes: Sequence[Mask],
    flows: Sequence[FlowPair],
    fill: Fill,
    past: Sequence[Canvas] | None = None,
    wanted: int | None = None,
    colours: ColourCompletion | None = None,
    before: Settled | None = None,
) -> Arrays:
    """Return the clip graph's inputs by name, as `ModelSpec` describes them, all float32.

    Args:
        images: T frames (H, W, 3), RGB in [0, 1]; what stands in the holes has no influence.
        holes: T masks (H, W).
        flows: T - 1 pairs; pair t lies between frames t and t + 1.
        fill: what the network expects in the holes.
        past: what a `Carrier` brought from before these frames; see `propagate`.
        wanted: how many of the frames are asked for, from the first; all if None. The others are only looked at.
        colours: what completes the colours that no frame shows; they stay smooth if None.
        before: one of the frames as an earlier call filled it, see `propagate`.
    """
    if fill == "propagated":
        filled, confidence = propagate(images, holes, flows, past, wanted=wanted, colours=colours, before=before)
    images, holes = images[:wanted], holes[:wanted]
    if fill == "zero":
        filled = [np.where(hole[..., None], np.float32(0), image) for image, hole in zip(images, holes, strict=True)]
        confidence = [np.zeros(hole.shape, np.float32) for hole in holes]
    height, width = holes[0].shape
    frames = np.empty((len(images), 3, height, width), np.float32)
    for t, picture in enumerate(filled):
        frames[t] = picture.transpose(2, 0, 1)
    return {
        "frames": frames,
        "hole": np.stack(holes)[:, None].astype(np.float32),
        "guidance": np.stack(confidence)[:, None],
        **_flow_inputs(flows[: len(images) - 1], len(images), (height, width)),
    }


def _flow_inputs(flows: Sequence[FlowPair], frames: int, shape: tuple[int, int]) -> Arrays:
    """Entry t belongs to frame t: the last forward and the first backward entry stay zero and are never read."""
    height, width = shape
    arrays: Arrays = {
        "flow_forward": np.zeros((frames, 2, height, width), np.float32),
        "flow_backward": np.zeros((frames, 2, height, width), np.float32),
        "validity_forward": np.zeros((frames, 1, height, width), np.float32),
        "validity_backward": np.zeros((frames, 1, height, width), np.float32),
    }
    for t, pair in enumerate(flows):
        arrays["flow_forward"][t] = pair.forward.transpose(2, 0, 1)
        arrays["validity_forward"][t, 0] = pair.forward_validity
        arrays["flow_backward"][t + 1] = pair.backward.transpose(2, 0, 1)
        arrays["validity_backward"][t + 1, 0] = pair.backward_validity
    return arrays
