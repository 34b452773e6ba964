"""Training samples of colour completion: pictures whose holes are filled, and what was there."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ptfan.engine.frame import Mask
from ptfan.engine.prepare.colour_completion import colour_inputs
from ptfan.engine.prepare.propagation import propagate
from ptfan.training.colour_completion.config import ColourTrainConfig
from ptfan.training.data.augment import choose_view
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.data.pixels import Floats
from ptfan.training.data.samples import ClipDataset
from ptfan.training.data.scenes import Scenes

__all__ = ["ColourDataset"]

HUE = 0.4
"""The part of a tint that differs between red, green and blue."""


class ColourDataset(Dataset[dict[str, Tensor]]):
    """Sample `index` of an endless, seeded sequence; the same index always gives the same sample.

    A sample holds `picture` (T, 3, h, w), `confidence` and `hole` (T, 1, h, w) as the runtime shows them to the
    network, and `target` (T, 3, h, w): what was there. Its pictures are the frames of a clip, filled as the runtime
    fills them, or, where nothing is carried into the holes, each of another clip.
    """

    def __init__(self, cache: ClipCache, config: ColourTrainConfig, flow: FlowCache | None = None) -> None:
        """Describe the sequence.

        Args:
            cache: the clips.
            config: the settings.
            flow: flow of the complete frames, for what is carried along it.

        Raises:
            InputError: see `Scenes`.
        """
        length = config.steps * config.batch
        self._filled = ClipDataset(cache, config.sample, fill="propagated", seed=config.seed, length=length, flow=flow)
        self._scenes = Scenes(cache, config.sample)
        self._config = config

    def __len__(self) -> int:
        return len(self._filled)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._config.seed, index, 1))  # not what the filled sample draws
        if rng.random() < self._config.unseen:
            return self._sample(rng, *self._unseen(rng))
        sample = self._filled[index]
        pictures, targets = (_pictures(sample[name]) for name in ("frames", "target"))
        confidences, holes = (list(sample[name][:, 0].numpy()) for name in ("guidance", "hole"))
        return self._sample(rng, pictures, confidences, [hole > 0 for hole in holes], targets)

    def _unseen(self, rng: np.random.Generator) -> tuple[list[Floats], list[Floats], list[Mask], list[Floats]]:
        """Return single frames of several clips, their holes completed smoothly."""
        targets, holes = [], []
        for _ in range(self._config.sample.frames):
            entry, scene = self._scenes.choose(rng)
            clip = entry.frames()
            view = choose_view(rng, clip.shape[1], clip.shape[2], self._config.sample)
            targets.append(view.picture(clip[scene[int(rng.integers(len(scene)))]]))
            holes += self._scenes.holes(rng, entry, 1)
        alone = [propagate([image], [hole], []) for image, hole in zip(targets, holes, strict=True)]
        return [filled[0] for filled, _ in alone], [known[0] for _, known in alone], holes, targets

    def _sample(
        self,
        rng: np.random.Generator,
        pictures: Sequence[Floats],
        confidences: Sequence[Floats],
        holes: Sequence[Mask],
        targets: Sequence[Floats],
    ) -> dict[str, Tensor]:
        tint = rng.normal(0.0, self._config.tint) + rng.normal(0.0, HUE * self._config.tint, 3)
        factor = np.exp(tint).astype(np.float32)
        shown = colour_inputs([picture * factor for picture in pictures], confidences, holes)
        shown["target"] = colour_inputs([target * factor for target in targets], confidences, holes)["picture"]
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in shown.items()}


def _pictures(frames: Tensor) -> list[Floats]:
    """Return T pictures (H, W, 3) of (T, 3, H, W)."""
    return list(np.ascontiguousarray(frames.permute(0, 2, 3, 1).numpy()))
