"""The learned completion of flow inside holes: a small network on the flow of a window, at a quarter of its size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.completion import dilate
from ptfan.engine.prepare.flow import CONTAMINATED, FlowPair, SmoothFlows, judged, smooth_completion
from ptfan.engine.runners.runner import Runner

__all__ = ["MULTIPLE", "REDUCTION", "LearnedFlow", "completion_inputs"]

REDUCTION = 4
"""The network works at 1 / REDUCTION of the frames' size."""
MULTIPLE = 4
"""Height and width of what the network sees are multiples of this."""

Array = NDArray[np.float32]


class LearnedFlow:
    """A flow completion that adds a network's answer to the smooth flow in the holes, and tells how wrong it may be."""

    def __init__(self, runner: Runner) -> None:
        """Use a loaded network, which its owner closes.

        Raises:
            ModelError: the network completes no flow.
        """
        runner.spec.check_form("flow")
        self.runner = runner

    def __call__(self, flows: Sequence[SmoothFlows], holes: Sequence[Mask]) -> list[FlowPair]:
        """Return T - 1 pairs for T frames; outside of the dilated holes the flow stays as it is."""
        if not flows or not any(hole.any() for hole in holes):
            return smooth_completion(flows, holes)
        unknown = [dilate(hole, CONTAMINATED) for hole in holes]
        flow, known = completion_inputs(flows, unknown)
        answer = self.runner.run({"flow": flow, "known": known})
        added = np.concatenate((answer["completed"] - flow, answer["spread"]), axis=1)
        enlarged = (_enlarged(*item) for item in zip(added, unknown, strict=True))  # two at a time: they are large
        return [_pair(smooth, *neighbours) for smooth, neighbours in zip(flows, pairwise(enlarged), strict=True)]


def completion_inputs(flows: Sequence[SmoothFlows], unknown: Sequence[Mask]) -> tuple[Array, Array]:
    """Return what the network is shown, at a quarter of the size, rounded up to its multiple.

    Args:
        flows: T - 1 pairs of smooth flow.
        unknown: T masks (H, W), the dilated holes.

    Returns:
        `flow` (T, 4, h, w): forward and backward flow in pixels of h x w; what points out of the clip is the other
        direction's, negated. `known` (T, 1, h, w): the share of each pixel that is known.
    """
    height, width = unknown[0].shape
    size = tuple(MULTIPLE * -(-side // (MULTIPLE * REDUCTION)) for side in (width, height))
    forward = [pair[0] for pair in flows] + [-flows[-1][1]]
    backward = [-flows[0][0]] + [pair[1] for pair in flows]
    scale = np.array([size[0] / width, size[1] / height] * 2, np.float32)
    pairs = (np.asarray(cv2.merge(pair), np.float32) for pair in zip(forward, backward, strict=True))
    both = [_reduced(pair, size) * scale for pair in pairs]
    known = [_reduced(1.0 - mask.astype(np.float32), size) for mask in unknown]
    return np.ascontiguousarray(np.stack(both).transpose(0, 3, 1, 2)), np.stack(known)[:, None]


def _reduced(array: Array, size: tuple[int, ...]) -> Array:
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32)


def _enlarged(answer: Array, unknown: Mask) -> list[Array]:
    """Return six planes (H, W), pixels, zero where known: what is added to both flows, and both doubts."""
    (height, width), (rows, columns) = unknown.shape, answer.shape[1:]
    across, along = width / columns, height / rows
    scale = np.array([across, along, across, along, across, across], np.float32)
    small, mask = np.ascontiguousarray(answer.transpose(1, 2, 0)) * scale, unknown.view(np.uint8)
    return [
        np.asarray(cv2.copyTo(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), mask), np.float32)
        for plane in cv2.split(small)
    ]


def _pair(smooth: SmoothFlows, first: Sequence[Array], second: Sequence[Array]) -> FlowPair:
    """Return a pair of what its two frames have; numpy is several times slower with arrays that end in two."""
    added = cv2.merge(first[:2]), cv2.merge(second[2:4])
    forward, backward = (np.asarray(cv2.add(*item), np.float32) for item in zip(smooth, added, strict=True))
    return judged(forward, backward, first[4], second[5])
