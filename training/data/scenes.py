"""What samples are cut from: scenes of real clips, holes for them, and the flow of their complete frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.frame import Mask
from ptfan.engine.prepare.flow import FlowPair, complete_flows
from ptfan.training.data.augment import Stretch, View, composed_pair
from ptfan.training.data.clip_cache import CachedClip, ClipCache
from ptfan.training.data.flow.cache import STEP, FlowCache, FlowSource, StoredFlow
from ptfan.training.data.mask_shapes import Track
from ptfan.training.data.pixels import Floats
from ptfan.training.data.random_holes import random_holes
from ptfan.training.data.sample_config import CutConfig

__all__ = ["Scenes"]


class _Tracks(Sequence[Track]):
    """The object masks of some clips, each mapped into memory when it is looked at."""

    def __init__(self, entries: Sequence[CachedClip]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, place: Any) -> Any:
        return self._entries[place].masks()


class Scenes:
    """The scenes that are long enough for a sample; longer ones are chosen more often, by the root of their length."""

    def __init__(self, cache: ClipCache, config: CutConfig, flow: FlowCache | None = None) -> None:
        """Look for scenes.

        Args:
            cache: the clips.
            config: what is cut from them.
            flow: flow of the complete frames; computed as needed without it.

        Raises:
            InputError: no scene is long enough, objects' masks are wanted and there are none, or the flow is of other
                clips.
        """
        entries = cache.entries()
        infos = flow.check({entry.name: _source(entry) for entry in entries}) if flow else {}
        self._flow, self._flow_sizes = flow, {name: info.size for name, info in infos.items()}
        self.all = [
            (entry, frames)
            for entry in entries
            for frames in entry.scenes(infos[entry.name].cuts if infos else ())
            if len(frames) >= config.frames
        ]
        if not self.all:
            raise InputError(
                f"training data: no clip has {config.frames} frames without a cut; shorten the samples or add clips"
            )
        weights = np.sqrt([len(frames) for _, frames in self.all])
        self._weights = weights / weights.sum()
        self._masked = [entry for entry in entries if entry.mask_path.exists()] if config.masks.objects else []
        if config.masks.objects and not self._masked:
            raise InputError("training data: masks of real objects are wanted (weight above 0), but no clip has masks")
        self._config = config

    def choose(self, rng: np.random.Generator) -> tuple[CachedClip, range]:
        """Return a clip and the frames of one of its scenes."""
        return self.all[rng.choice(len(self.all), p=self._weights)]

    def holes(self, rng: np.random.Generator, entry: CachedClip, frames: int, shown: range | None = None) -> list[Mask]:
        """Return a hole for each of `frames` frames, of the sample's size; see `random_holes`.

        Args:
            rng: what decides.
            entry: the clip that they are for; objects come from another one if there is one.
            frames: how many.
            shown: frames of which at least one keeps a hole; all without it.
        """
        width, height = self._config.size
        tracks = _Tracks([other for other in self._masked if other != entry] or self._masked)
        return random_holes(rng, frames, height, width, self._config.masks, tracks=tracks, shown=shown)

    def complete_flows(
        self, entry: CachedClip, stretch: Stretch, view: View, images: Sequence[Floats]
    ) -> list[FlowPair]:
        """Return the flow between the complete pictures of a sample, from the cache or estimated now.

        Args:
            entry: the clip.
            stretch: the frames that are shown, T.
            view: what is shown of them.
            images: T pictures (H, W, 3), RGB in [0, 1].
        """
        if self._flow is None:
            return complete_flows(images)
        steps = range(min(stretch.order), max(stretch.order))
        stored, size = self._flow.read(entry.name, steps), self._flow_sizes[entry.name]
        return [_between(stored, view, size, first, second) for first, second in stretch.pairs()]


def _source(entry: CachedClip) -> FlowSource:
    frames, height, width = entry.frames().shape[:3]
    return FlowSource(entry.fingerprint(), frames, (width, height))


def _between(stored: dict[int, StoredFlow], view: View, size: tuple[int, int], first: int, second: int) -> FlowPair:
    """Return the flow between two frames of a clip as it is shown; time may run backwards."""
    early, late = min(first, second), max(first, second)
    onwards = [view.flow(stored[t].forward, size, STEP) for t in range(early, late)]
    back = [view.flow(stored[t].backward, size, STEP) for t in range(late - 1, early - 1, -1)]
    return composed_pair(onwards, back) if first < second else composed_pair(back, onwards)
