"""Training samples of flow completion: the flow of complete frames, and what is known of it round a hole."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.completion import dilate, pull_push
from ptfan.engine.prepare.flow import CONTAMINATED, SmoothFlows, smooth_flows
from ptfan.engine.prepare.flow_completion import completion_inputs
from ptfan.training.data.augment import choose_stretch, choose_view
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.data.scenes import Scenes
from ptfan.training.flow_completion.config import FlowTrainConfig

__all__ = ["FlowDataset", "hidden"]


class FlowDataset(Dataset[dict[str, Tensor]]):
    """Sample `index` of an endless, seeded sequence; the same index always gives the same sample.

    A sample holds `flow` (T, 4, h, w) and `known` (T, 1, h, w) as the runtime shows them to the network, and `target`
    (T, 4, h, w): the flow of the complete frames in the place of `flow`.
    """

    def __init__(self, cache: ClipCache, config: FlowTrainConfig, flow: FlowCache | None = None) -> None:
        """Describe the sequence.

        Args:
            cache: the clips.
            config: the settings.
            flow: flow of the complete frames; computed for each sample without it.

        Raises:
            InputError: see `Scenes`.
        """
        self._scenes = Scenes(cache, config.sample, flow)
        self._config = config

    def __len__(self) -> int:
        return self._config.steps * self._config.batch

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._config.seed, index))
        entry, scene = self._scenes.choose(rng)
        clip = entry.frames()  # Mapped anew: workers that are started by pickling share the file, not a copy.
        stretch = choose_stretch(rng, scene, self._config.sample)
        view = choose_view(rng, clip.shape[1], clip.shape[2], self._config.sample)
        images = [view.picture(clip[t]) for t in stretch.order]
        holes = self._scenes.holes(rng, entry, len(images))
        unknown = [dilate(hole, CONTAMINATED) for hole in holes]
        pairs = self._scenes.complete_flows(entry, stretch, view, images)
        complete = [(pair.forward, pair.backward) for pair in pairs]
        if rng.random() < self._config.estimated:
            flows = smooth_flows(images, holes)
        else:
            gain = np.float32(np.exp(rng.uniform(-self._config.gain, self._config.gain)))
            complete = [(forward * gain, backward * gain) for forward, backward in complete]
            flows = hidden(complete, unknown)
        return _sample(flows, complete, unknown)


def hidden(complete: Sequence[SmoothFlows], unknown: Sequence[Mask]) -> list[SmoothFlows]:
    """Return complete flow with a smooth completion in the place of what is unknown.

    Args:
        complete: T - 1 pairs of flow.
        unknown: T masks (H, W).
    """
    return [
        (pull_push(forward, ~first), pull_push(backward, ~second))
        for (forward, backward), first, second in zip(complete, unknown[:-1], unknown[1:], strict=True)
    ]


def _sample(
    flows: Sequence[SmoothFlows], complete: Sequence[SmoothFlows], unknown: Sequence[Mask]
) -> dict[str, Tensor]:
    flow, known = completion_inputs(flows, unknown)
    target, _ = completion_inputs(complete, unknown)
    return {name: torch.from_numpy(array) for name, array in (("flow", flow), ("known", known), ("target", target))}
