"""Which dimensions of a graph are fixed, and which take any value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ptfan.engine.errors import InputError
from ptfan.engine.spec import CLIP_INPUTS

__all__ = ["Dimensions"]

EXAMPLE = (3, 32, 40)
"""T, H and W to trace with where they are not fixed: unlike each other, and unlike 0 and 1, which would be special."""
LARGEST = 1 << 13
"""The largest T, and the largest H and W in multiples."""


@dataclass(frozen=True)
class Dimensions:
    """T, H and W of a graph; None takes any value."""

    frames: int | None = None
    """T: frames of a window, or streams of a step graph, which takes one frame of each."""
    size: tuple[int, int] | None = None
    """(W, H), pixels."""
    multiple: int = 8
    """W and H are multiples of this."""
    first: Literal["T", "B"] = "T"
    """What a graph calls frames or streams where they are not fixed; H and W have these names."""

    def __post_init__(self) -> None:
        if self.frames is not None and self.frames < 1:
            raise InputError(f"{self.frames} frames or streams at a time, expected 1 or more")
        if self.size is not None and (
            min(self.size) < self.multiple or any(side % self.multiple for side in self.size)
        ):
            raise InputError(
                f"size is {self.size[0]}x{self.size[1]}, expected multiples of {self.multiple}; the runtime pads to it"
            )

    @property
    def values(self) -> tuple[int | None, int | None, int | None]:
        """T, H and W."""
        width, height = self.size or (None, None)
        return self.frames, height, width

    def example(self) -> tuple[int, int, int]:
        """Return T, H and W to trace with."""
        frames, height, width = (value or example for value, example in zip(self.values, EXAMPLE, strict=True))
        return frames, height, width

    def for_torch(self, sizes: Sequence[int | None] = (1,) * len(CLIP_INPUTS)) -> list[dict[int, Any]] | None:
        """Return what `torch.export` takes as dynamic shapes, one entry an input, or None if all is fixed.

        Args:
            sizes: for each input, by what its sides divide the frames'; None if it has no sides.
        """
        from torch.export import Dim

        if self.frames is not None and self.size is not None:
            return None
        first = {} if self.frames is not None else {0: Dim("frames", min=1, max=LARGEST)}
        sides = [] if self.size is not None else [Dim(name, min=1, max=LARGEST) for name in ("rows", "columns")]

        def free(size: int | None) -> dict[int, Any]:
            if size is None:
                return dict(first)
            # Sizes as multiples keep every derived size a plain product, which makes tracing several times faster.
            factor = self.multiple // size
            return {**first, **{axis: factor * side if factor > 1 else side for axis, side in enumerate(sides, 2)}}

        return [free(size) for size in sizes]

    def for_onnx(self, channels: int, size: int = 1) -> list[int | str]:
        """Return the shape of a tensor of the graph's interface, at 1 / size of the frames' size."""
        names = (self.first, "H", "W")
        frames, *sides = (value or name for value, name in zip(self.values, names, strict=True))
        return [frames, channels, *(_divided(side, size) for side in sides)]


def _divided(side: int | str, size: int) -> int | str:
    if isinstance(side, int):
        return side // size
    return side if size == 1 else f"{side}/{size}"
