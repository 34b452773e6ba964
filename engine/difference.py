"""How far a result is from its reference, over a clip of any length."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Difference", "Tally", "psnr_of"]


@dataclass(frozen=True)
class Difference:
    """Errors of pictures in [0, 1] whose values may lie outside."""

    worst: float
    """The largest absolute error; NaN if the result is not finite."""
    mean: float
    """The mean absolute error."""
    psnr: float
    """dB, of both clamped to [0, 1]; infinite if these are equal."""
    pixel: tuple[int, int, int]
    """Where the largest error is: frame, y, x."""

    def __str__(self) -> str:
        frame, y, x = self.pixel
        return (
            f"worst error {self.worst:.2e} (frame {frame}, y {y}, x {x}), mean {self.mean:.2e}, PSNR {self.psnr:.1f} dB"
        )


class Tally:
    """Adds up the errors of frames."""

    def __init__(self) -> None:
        self._worst, self._pixel = -math.inf, (0, 0, 0)
        self._absolute = self._square = 0.0
        self._count = 0

    def add(
        self,
        frame: int,
        reference: NDArray[np.float32],
        result: NDArray[np.float32],
        where: NDArray[np.bool_] | None = None,
    ) -> float:
        """Count a frame in.

        Args:
            frame: its number, to tell where the largest error is.
            reference: (H, W, C).
            result: (H, W, C).
            where: (H, W), the pixels that count; all by default.

        Returns:
            The frame's own mean square error, of both clamped to [0, 1]; 0 if no pixel counts.
        """
        rows, columns = np.nonzero(np.ones(reference.shape[:2], np.bool_) if where is None else where)
        if not rows.size:
            return 0.0
        expected, got = reference[rows, columns].astype(np.float64), result[rows, columns].astype(np.float64)
        error = np.where(np.isfinite(got), np.abs(np.nan_to_num(got) - expected), np.nan)
        square = (np.clip(got, 0, 1) - np.clip(expected, 0, 1)) ** 2
        self._absolute += float(error.sum())
        self._square += float(square.sum())
        self._count += error.size
        self._note_worst(frame, error, rows, columns)
        return float(square.mean())

    def _note_worst(
        self, frame: int, error: NDArray[np.float64], rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> None:
        place = np.unravel_index(np.argmax(error), error.shape)  # a NaN counts as the largest
        worst = float(error[place])
        if worst > self._worst or (math.isnan(worst) and not math.isnan(self._worst)):
            self._worst, self._pixel = worst, (frame, int(rows[place[0]]), int(columns[place[0]]))

    @property
    def difference(self) -> Difference:
        """The errors of all frames so far; none if no pixel counted."""
        if not self._count:
            return Difference(0.0, 0.0, math.inf, self._pixel)
        psnr = psnr_of(self._square / self._count)
        return Difference(self._worst, self._absolute / self._count, psnr, self._pixel)


def psnr_of(square: float) -> float:
    """Return the PSNR, dB, of a mean square error of pictures in [0, 1]; infinite if there is none."""
    return math.inf if square == 0 else -10 * math.log10(square)
