"""Time stamps of what goes out: always increasing, whatever happens to the source's clock."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["TIME_BASE", "Retimer"]

TIME_BASE = Fraction(1, 90000)
"""Seconds a tick, as MPEG has it."""
TOLERANCE = 2.0
"""Seconds by which the source's clock may move against ours before it counts as another clock."""


class Retimer:
    """Follows the source's clock while that runs; begins again where ours says when it jumps, breaks off or is none.

    Args:
        rate: Frames a second, for the least distance between two clocks' frames.
        whole: The source is a file that is read as fast as can be: pauses are its own, and only going back is a jump.
    """

    def __init__(self, rate: Fraction, *, whole: bool = False) -> None:
        self._whole = whole
        self._step = max(1, round(1 / (rate * TIME_BASE)))
        self._last: int | None = None
        self._offset = 0
        self._clocks: tuple[Fraction, float] | None = None

    def stamp(self, time: Fraction | None, now: float, *, fresh: bool = False) -> tuple[int, bool]:
        """Return a frame's time stamp, and whether its clock is another than the last frame's.

        Args:
            time: By the source's clock, seconds; None where it has none.
            now: When it came, by ours, seconds.
            fresh: Whether the source is known to be another.

        Returns:
            Ticks of `TIME_BASE`, 0 for the first frame; and True where the frame is the first by its clock.
        """
        jumped = fresh or self._clocks is None or self._has_jumped(time, now)
        shown = self._foretold(now) if time is None else time
        if jumped:
            self._offset = self._due(now) - round(shown / TIME_BASE)
        ticks = round(shown / TIME_BASE) + self._offset
        if self._last is not None:
            ticks = max(ticks, self._last + 1)
        self._last, self._clocks = ticks, (shown, now)
        return ticks, jumped

    def _foretold(self, now: float) -> Fraction:
        """Return what the source's clock would say if it had gone on like ours."""
        if self._clocks is None:
            return Fraction(now)
        before, then = self._clocks
        return before + Fraction(now - then)

    def _has_jumped(self, time: Fraction | None, now: float) -> bool:
        assert self._clocks is not None
        before, then = self._clocks
        if time is None:
            return False
        moved = float(time - before)
        return moved <= 0 or (not self._whole and moved - (now - then) > TOLERANCE)

    def _due(self, now: float) -> int:
        """Return the ticks of a frame that is the first of another clock."""
        if self._last is None or self._clocks is None:
            return 0
        return self._last + max(self._step, round(Fraction(now - self._clocks[1]) / TIME_BASE))
