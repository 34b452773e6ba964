"""The sizes that a plan is built for: TensorRT wants to know the least, the usual and the most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.spec import ModelSpec

__all__ = ["Extent", "SizeRange"]

LEAST_SIDE = 64
"""The usual least width and height: crops are hardly smaller, and those that are get padded."""


class Extent(NamedTuple):
    """One size of a network's input."""

    frames: int
    """Frames of a window, or streams of a step model."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""

    def __str__(self) -> str:
        return f"{self.frames} x {self.width}x{self.height}"


@dataclass(frozen=True)
class SizeRange:
    """What a plan takes: each of frames, width and height from its least to its most."""

    least: Extent
    """The smallest input."""
    usual: Extent
    """What the plan is fastest at."""
    most: Extent
    """The largest input; the plan's memory is measured by it."""

    def __post_init__(self) -> None:
        for name, low, usual, high in zip(Extent._fields, self.least, self.usual, self.most, strict=True):
            if not 1 <= low <= usual <= high:
                raise InputError(f"{name} of {low}, {usual} and {high}: expected the least, the usual and the most")

    @classmethod
    def of(
        cls,
        spec: ModelSpec,
        *,
        least: tuple[int, int] | None = None,
        usual: tuple[int, int] | None = None,
        most: tuple[int, int] | None = None,
        frames: int | None = None,
    ) -> SizeRange:
        """Return the sizes to build a model for.

        Args:
            spec: the model's.
            least: (width, height) in pixels; 64x64 by default.
            usual: likewise; the model's working size by default.
            most: likewise; twice the usual by default, as crops are wide or high.
            frames: frames of a window, or streams of a step model, at the most; the model's window, or one stream, by
                default.

        Raises:
            InputError: the sizes are out of order, or no multiples of the model's.
            ModelError: the model takes one size alone, and another is asked for.
        """
        fixed = spec.fixed_streams if spec.form == "step" else spec.fixed_window
        count = _fixed(fixed, frames, "frames") or (1 if spec.form == "step" else spec.window)
        if spec.fixed_size is not None:
            sizes = [_fixed(spec.fixed_size, asked, "a size") for asked in (least, usual, most)]
        else:
            middle = usual or spec.working_size
            small = least or (min(LEAST_SIDE, middle[0]), min(LEAST_SIDE, middle[1]))
            sizes = [small, middle, most or (2 * middle[0], 2 * middle[1])]
        for width, height in filter(None, sizes):
            if width % spec.size_multiple or height % spec.size_multiple:
                raise InputError(f"size is {width}x{height}, expected multiples of {spec.size_multiple}")
        counts = (fixed or 1, count, count)
        return cls(*(Extent(number, *size) for number, size in zip(counts, sizes, strict=True) if size is not None))

    def shapes(self, spec: ModelSpec) -> dict[str, tuple[tuple[int, ...], ...]]:
        """Return the least, the usual and the largest shape of each of a model's inputs."""
        found = [spec.input_shapes(*extent) for extent in (self.least, self.usual, self.most)]
        return {name: tuple(shapes[name] for shapes in found) for name in found[0]}

    def __contains__(self, extent: Extent) -> bool:
        return all(low <= value <= high for low, value, high in zip(self.least, extent, self.most, strict=True))

    def __str__(self) -> str:
        return f"{self.least} to {self.most}"

    def options(self, spec: ModelSpec) -> list[str]:
        """Return what gives these sizes on the command line of `ptfan build`."""
        pairs = zip(("--min", "--opt", "--max"), (self.least, self.usual, self.most), strict=True)
        sizes = [] if spec.fixed_size else [part for name, it in pairs for part in (name, f"{it.width}x{it.height}")]
        fixed = spec.fixed_streams if spec.form == "step" else spec.fixed_window
        return [*sizes, *([] if fixed else ["--frames", str(self.most.frames)])]


def _fixed(fixed: Any, asked: Any, what: str) -> Any:
    """Return what is fixed, or else what is asked for."""
    if fixed is not None and asked not in (None, fixed):
        raise ModelError(f"the model takes {what} of {fixed} alone, {asked} is asked for; export it for any")
    return asked if fixed is None else fixed
