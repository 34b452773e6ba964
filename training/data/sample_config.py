"""The settings of training samples: what is cut from a clip, what is hidden in it, along which flow it is aligned."""

from __future__ import annotations

from dataclasses import dataclass, field

from ptfan.engine.checks import check_choice, check_numbers
from ptfan.engine.errors import InputError
from ptfan.engine.spec import CompletionName

__all__ = ["FVI_AREAS", "MASK_KINDS", "CutConfig", "MaskConfig", "SampleConfig"]

MASK_KINDS = ("strokes", "blobs", "boxes", "text", "objects")
"""The kinds of holes; each is also the field of `MaskConfig` that holds its weight."""
FVI_AREAS = tuple((low / 100, (low + 10) / 100) for low in range(5, 65, 10))
"""The groups of the FVI test set by the hole's share of the frame: 5-15 %, 15-25 %, ... 55-65 %."""
Area = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class MaskConfig:
    """Which holes are cut."""

    strokes: float = 1.0
    """Weight of brush strokes (free-form masks), moving as one or standing still."""
    blobs: float = 2.0
    """Weight of one to three object-like shapes that move, turn and change smoothly."""
    boxes: float = 1.0
    """Weight of one or two boxes."""
    text: float = 1.0
    """Weight of stationary lines of letters."""
    objects: float = 0.0
    """Weight of real objects' masks pasted from other clips; needs a dataset with masks."""
    areas: tuple[Area, ...] = ((0.02, 0.45),)
    """Ranges of the hole's share of the frame, mean over the frames; each sample draws one. `FVI_AREAS` has FVI's."""
    still: float = 0.4
    """Probability that strokes, blobs and boxes stand still."""
    absent: float = 0.0
    """Expected share of a sample's frames without any hole, 0 to 0.5: holes that appear late, pause or end early."""

    def __post_init__(self) -> None:
        check_numbers("mask config", self, *MASK_KINDS)
        if not any(getattr(self, name) for name in MASK_KINDS):
            raise InputError(f"mask config: all weights are 0; give one of {', '.join(MASK_KINDS)} a weight")
        check_numbers("mask config", self, "still", most=1)
        check_numbers("mask config", self, "absent", most=0.5)
        if not self.areas or any(not 0.0 < low < high < 1.0 for low, high in self.areas):
            raise InputError(f"mask config: areas are {self.areas}, expected pairs (low, high) with 0 < low < high < 1")


@dataclass(frozen=True, kw_only=True)
class CutConfig:
    """What is cut from a clip, and what is hidden in it."""

    frames: int = 7
    """Frames in a sample."""
    size: tuple[int, int] = (192, 128)
    """(width, height) of a sample in pixels; multiples of 8."""
    masks: MaskConfig = field(default_factory=MaskConfig)
    """Which holes are cut."""
    scale_min: float = 1.0
    """The least number of the clip's pixels to a sample's pixel; below 1 pictures are enlarged."""
    scale_max: float | None = None
    """The largest; None takes up to the whole frame."""
    reverse: float = 0.5
    """Probability that time runs backwards."""
    flip: float = 0.5
    """Probability that pictures are mirrored, left to right."""
    flip_vertical: float = 0.0
    """Probability that pictures are turned upside down, by a mirror."""
    double_speed: float = 0.2
    """Probability that every second frame is taken, where the scene is long enough."""

    def __post_init__(self) -> None:
        check_numbers("sample config", self, "frames", least=1)
        if any(side < 8 or side % 8 for side in self.size):
            raise InputError(f"sample config: size is {self.size}, expected multiples of 8")
        check_numbers("sample config", self, "reverse", "flip", "flip_vertical", "double_speed", most=1)
        if not 0.0 < self.scale_min <= (self.scale_max if self.scale_max is not None else self.scale_min):
            raise InputError(
                f"sample config: scale_min is {self.scale_min} and scale_max {self.scale_max}, "
                "expected 0 < scale_min <= scale_max"
            )


@dataclass(frozen=True, kw_only=True)
class SampleConfig(CutConfig):
    """Everything that decides what a generator's sample looks like, beside the clips and the seed."""

    history: int = 0
    """Frames before the sample that are used only to carry known pixels into it, as the runtime does from the stream's
    start. Samples near a scene's start have fewer."""
    future: int = 0
    """Frames after the sample that are used only to carry known pixels into it."""
    lookahead: int | None = None
    """Frames after a frame that may be used for its flow and its carried pixels, as for a stream that does not wait
    longer; None is a window's view, in which all frames know of each other."""
    plain: float = 0.0
    """Probability that pictures are blurred until they show nothing but areas, with more or less contrast and in any
    colour: skies, walls and title cards, which few clips have."""
    complete_flow: float = 0.0
    """Probability that a sample is aligned along the flow of the complete frames, as the paper trains; else along flow
    that is estimated with the holes and completed, as the runtime does."""
    flow_completion: CompletionName = "learned"
    """What decides on estimated flow inside the holes: the network that the runtime uses, or a smooth completion."""
    colour_completion: CompletionName = "learned"
    """What decides on the colours that no frame shows, likewise."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_numbers("sample config", self, "history", "future", "lookahead")
        check_choice("sample config: flow_completion", self.flow_completion, CompletionName)
        check_choice("sample config: colour_completion", self.colour_completion, CompletionName)
        check_numbers("sample config", self, "plain", "complete_flow", most=1)
