"""The settings of the text network's training: frozen dataclasses, one JSON file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from ptfan.engine.checks import check_numbers
from ptfan.engine.errors import InputError
from ptfan.engine.masks.text_finder import MULTIPLE
from ptfan.training.data.sample_config import CutConfig
from ptfan.training.helpers.config import HelperTrainConfig
from ptfan.training.model.text_network import TextNetworkConfig

__all__ = ["BeforeConfig", "TextTrainConfig"]


@dataclass(frozen=True, kw_only=True)
class BeforeConfig:
    """What the frame before shows, as probabilities; what is left of 1 is the same caption at the same place."""

    none: float = 0.12
    """No caption: it has just appeared."""
    other: float = 0.1
    """Another caption: they have just changed."""
    moved: float = 0.06
    """The same one elsewhere: credits that scroll, tickers."""
    cut: float = 0.06
    """Another scene, behind the same caption."""
    itself: float = 0.14
    """The same frame: there is none before, or it is after a cut."""

    def __post_init__(self) -> None:
        check_numbers("text training: before", self, "none", "other", "moved", "cut", "itself", most=0.2)


@dataclass(frozen=True, kw_only=True)
class TextTrainConfig(HelperTrainConfig):
    """The settings of the text network's training."""

    command: ClassVar[str] = "train-text"
    names: ClassVar[tuple[str, ...]] = ("text", "text-2")
    grid: ClassVar[int] = MULTIPLE

    network: TextNetworkConfig = field(default_factory=TextNetworkConfig)
    sample: CutConfig = field(
        default_factory=lambda: CutConfig(frames=2, size=(256, 80), scale_min=0.75, scale_max=2.6)
    )
    """What is cut from a clip: two frames that follow each other. Its masks are not used."""
    fonts: str | None = None
    """Folder of fonts that captions are drawn with; those that are installed without it."""
    size: tuple[float, float] = (9.0, 58.0)
    """The least and the largest size of letters, pixels."""
    empty: float = 0.12
    """Probability that there is no caption at all."""
    before: BeforeConfig = field(default_factory=BeforeConfig)
    """What the frame before shows."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_numbers("training config", self, "empty", most=1)
        if self.sample.frames != 2:
            raise InputError(
                f"training config: sample frames is {self.sample.frames}, expected 2: a frame and the one before"
            )
        if not 4.0 <= self.size[0] <= self.size[1]:
            raise InputError(f"training config: size is {self.size}, expected 4 <= least <= largest")

    def changed(self, *, steps: int | None = None, fonts: Path | None = None) -> TextTrainConfig:
        """Return the settings with another number of steps and other fonts, unless that is None."""
        config = super().changed(steps=steps)
        return config if fonts is None else replace(config, fonts=str(fonts.resolve()))
