"""Where a run's samples come from, as the command was told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ptfan.engine.checks import check_choice
from ptfan.engine.progress import choose_progress
from ptfan.training.data.clip_cache import ClipCache
from ptfan.training.data.clip_list import clip_list
from ptfan.training.data.datasets import Layout, open_dataset
from ptfan.training.data.flow.cache import FlowCache

__all__ = ["DataSource"]


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A dataset, and what is kept of it on disk; paths are texts, so that JSON can hold them."""

    data: str
    """The dataset's folder."""
    layout: str | None = None
    """How it is laid out; told from the folder without it."""
    split: str | None = None
    """Part of the dataset."""
    clips: str | None = None
    """A file that lists the clips to use; all without it."""
    longest: int | None = None
    """Larger frames are scaled down until their longer side has so many pixels."""
    cache: str | None = None
    """Folder for decoded clips; one inside the run's folder without it."""
    flow: str | None = None
    """Folder of the cache of complete frames' flow, which `ptfan flow` makes; computed as needed without it."""

    def __post_init__(self) -> None:
        if self.layout is not None:
            check_choice("training data: layout", self.layout, Layout)

    def decode(self, run: Path) -> ClipCache:
        """Decode the clips, unless they are decoded already, and tell how far that is.

        Args:
            run: the run's folder.

        Raises:
            InputNotFoundError: the dataset or a named clip is not there.
            InputError: a clip cannot be read.
        """
        dataset = open_dataset(
            Path(self.data),
            cast("Layout | None", self.layout),
            split=self.split,
            names=clip_list(self.clips),
            longest=self.longest,
        )
        cache = Path(self.cache) if self.cache else run / "cache"
        return ClipCache.build(dataset, cache, choose_progress(quiet=False))

    def flow_cache(self) -> FlowCache | None:
        """Return the cache of complete frames' flow, if there is one."""
        return None if self.flow is None else FlowCache(Path(self.flow))
