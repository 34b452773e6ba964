"""Training samples: short clips of real video with random holes, and what the runtime would feed the network."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.carrier import carry, known_pixels
from ptfan.engine.prepare.completions import Completions
from ptfan.engine.prepare.flow import FlowCompletion, FlowPair, smooth_flows
from ptfan.engine.prepare.inputs import clip_inputs
from ptfan.engine.prepare.propagation import ColourCompletion
from ptfan.engine.spec import Fill
from ptfan.training.data.arriving import FlowsBetween, arriving_inputs
from ptfan.training.data.augment import choose_stretch, choose_view, plain_pictures
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.data.pixels import Floats
from ptfan.training.data.sample_config import SampleConfig
from ptfan.training.data.scenes import Scenes

__all__ = ["ClipDataset"]

Sample = dict[str, NDArray[np.float32]]


class ClipDataset(Dataset[dict[str, Tensor]]):
    """Sample `index` of an endless, seeded sequence; the same index always gives the same sample.

    A sample holds the clip graph's inputs by name, and `target` (T, 3, H, W): the complete clip in [0, 1].
    """

    def __init__(
        self,
        cache: ClipCache,
        config: SampleConfig,
        *,
        fill: Fill,
        seed: int,
        length: int,
        flow: FlowCache | None = None,
    ) -> None:
        """Describe the sequence.

        Args:
            cache: the clips.
            config: what a sample looks like.
            fill: what the network expects in the holes.
            seed: the sequence's seed.
            length: how many samples the sequence has.
            flow: flow of the complete frames; computed for each sample without it, where a sample needs it.

        Raises:
            InputError: no scene is long enough, objects' masks are wanted and there are none, or the flow is of other
                clips.
        """
        self._scenes = Scenes(cache, config, flow if config.complete_flow else None)
        self._config, self._fill = config, fill
        self._seed, self._length = seed, length
        self._completions: Completions | None = None

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._seed, index))
        entry, scene = self._scenes.choose(rng)
        clip = entry.frames()  # Mapped anew: workers that are started by pickling share the file, not a copy.
        # Only carried pixels come from further than the sample itself.
        around = (self._config.history, self._config.future) if self._fill == "propagated" else (0, 0)
        stretch = choose_stretch(rng, scene, self._config, around)
        view = choose_view(rng, clip.shape[1], clip.shape[2], self._config)
        images = [view.picture(clip[t]) for t in stretch.order]
        if self._config.plain and rng.random() < self._config.plain:
            images = plain_pictures(rng, images)
        shown = stretch.sample(self._config.frames)
        holes = self._scenes.holes(rng, entry, len(images), shown)
        if rng.random() < self._config.complete_flow:
            flows = _parts_of(self._scenes.complete_flows(entry, stretch, view, images))
        else:
            flows = _completed_parts(images, holes, self._opened().flow)
        sample = self._inputs(images, holes, flows, shown)
        sample["target"] = np.ascontiguousarray(np.stack(images[shown.start : shown.stop]).transpose(0, 3, 1, 2))
        return {name: torch.from_numpy(array) for name, array in sample.items()}

    def _inputs(self, images: Sequence[Floats], holes: Sequence[Mask], flows: FlowsBetween, shown: range) -> Sample:
        """Return the graph's inputs for the frames that are shown; those around them only lend their pixels."""
        lookahead, colours = self._config.lookahead, self._opened().colours
        if lookahead is None:
            sample = _windowed_inputs(images, holes, flows(0, len(images)), shown, self._fill, colours)
        else:
            sample = arriving_inputs(images, holes, flows, shown, self._fill, lookahead, colours)
        for name in ("flow_forward", "validity_forward"):
            sample[name][-1] = 0.0  # It leads out of the sample.
        for name in ("flow_backward", "validity_backward"):
            sample[name][0] = 0.0
        return sample

    def _opened(self) -> Completions:
        """Return what completes flow and colours in holes; its sessions are opened in the process that uses them."""
        if self._completions is None:
            config = self._config
            self._completions = Completions.open(config.flow_completion, config.colour_completion, self._fill)
        return self._completions


def _windowed_inputs(
    images: Sequence[Floats],
    holes: Sequence[Mask],
    flows: Sequence[FlowPair],
    shown: range,
    fill: Fill,
    colours: ColourCompletion | None,
) -> Sample:
    """Return the inputs of the frames that are shown, as of one window that reaches to the last of all frames."""
    start, past = shown.start, None
    if start:  # as the runtime carries it from the stream's start
        canvases = [known_pixels(image, hole) for image, hole in zip(images, holes, strict=True)]
        past = carry(canvases, holes, [pair.back for pair in flows])[0][start:]
    inputs = clip_inputs(images[start:], holes[start:], flows[start:], fill, past, colours=colours)
    return {name: np.ascontiguousarray(array[: len(shown)]) for name, array in inputs.items()}


def _parts_of(flows: Sequence[FlowPair]) -> FlowsBetween:
    return lambda first, end: flows[first : end - 1]


def _completed_parts(images: Sequence[Floats], holes: Sequence[Mask], completion: FlowCompletion) -> FlowsBetween:
    smooth = smooth_flows(images, holes)
    return lambda first, end: completion(smooth[first : end - 1], holes[first:end])
