"""Training samples of text finding: frames of clips with captions on them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ptfan.training.data.augment import choose_stretch, choose_view
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.flow.cache import FlowCache
from ptfan.training.data.pixels import Floats, Pixels, to_floats
from ptfan.training.data.scenes import Scenes
from ptfan.training.text_finding.config import TextTrainConfig
from ptfan.training.text_finding.fonts import find_fonts
from ptfan.training.text_finding.lettering import Caption, draw_caption
from ptfan.training.text_finding.stored import as_stored

__all__ = ["TextDataset"]

COMPRESSED = 0.85
"""Share of samples that were compressed with the caption on them."""


class TextDataset(Dataset[dict[str, Tensor]]):
    """Sample `index` of an endless, seeded sequence; the same index always gives the same sample.

    A sample holds `picture` and `before` (3, h, w), and `target` (1, h, w), 1 where text is.
    """

    def __init__(self, cache: ClipCache, config: TextTrainConfig, flow: FlowCache | None = None) -> None:
        """Describe the sequence.

        Args:
            cache: the clips.
            config: the settings.
            flow: is not used.

        Raises:
            InputError: no clip has two frames without a cut, or there is no font.
        """
        self._scenes = Scenes(cache, config.sample)
        self._fonts = find_fonts(None if config.fonts is None else Path(config.fonts))
        self._config = config

    def __len__(self) -> int:
        return self._config.steps * self._config.batch

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._config.seed, index))
        before, picture = self._frames(rng)
        caption = None if rng.random() < self._config.empty else self._caption(rng)
        target = np.zeros(picture.shape[:2], np.float32) if caption is None else caption.mask
        shown = self._shown(rng, before, picture, caption)
        return {
            **{name: _channels_first(image) for name, image in shown.items()},
            "target": torch.from_numpy(target)[None],
        }

    def _frames(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return two frames that follow each other, without a caption."""
        entry, scene = self._scenes.choose(rng)
        clip, sample = entry.frames(), self._config.sample
        stretch, view = choose_stretch(rng, scene, sample), choose_view(rng, clip.shape[1], clip.shape[2], sample)
        gain = np.float32(np.exp(rng.normal(0, 0.2)))
        first, second = (np.minimum(view.picture(clip[number]) * gain, 1) for number in stretch.order)
        return first, second

    def _caption(self, rng: np.random.Generator) -> Caption:
        return draw_caption(rng, self._fonts, self._config.sample.size, self._config.size)

    def _shown(
        self, rng: np.random.Generator, before: Floats, picture: Floats, caption: Caption | None
    ) -> dict[str, Pixels]:
        """Return both frames as a file has them, with the caption, and with what the one before had."""
        shares = self._config.before
        chances = [shares.none, shares.other, shares.moved, shares.cut, shares.itself]
        kind = rng.choice(["none", "other", "moved", "cut", "itself", "same"], p=[*chances, 1 - sum(chances)])
        earlier = caption
        if kind == "none":
            earlier = None
        elif kind == "other":
            earlier = self._caption(rng)
        elif kind == "moved" and caption is not None:
            earlier = caption.moved(*rng.normal(0, 3, 2))
        elif kind == "cut":
            before, _ = self._frames(rng)
        quality = int(rng.integers(35, 98)) if rng.random() < COMPRESSED else None
        noise = rng.uniform(0, 0.02)
        shown = as_stored(rng, picture if caption is None else caption.over(picture), quality, noise)
        if kind == "itself":
            return {"picture": shown, "before": shown}
        return {
            "picture": shown,
            "before": as_stored(rng, before if earlier is None else earlier.over(before), quality, noise),
        }


def _channels_first(picture: Pixels) -> Tensor:
    return torch.from_numpy(to_floats(np.ascontiguousarray(picture.transpose(2, 0, 1))))
