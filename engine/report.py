"""What was done to a video."""

from __future__ import annotations

from dataclasses import dataclass

from ptfan.engine.run_report import RunReport

__all__ = ["Report"]


@dataclass(frozen=True, kw_only=True)
class Report(RunReport):
    """The record of one inpainted video."""

    output: str
    """Where the result lies, without passwords."""
    frames: int
    """Frames written."""
    inpainted: int
    """How many of them had a hole."""
    seconds: float
    """From opening the source to the finished output."""
    fps: float
    """Frames a second over all of that time."""

    @property
    def summary(self) -> str:
        """One line: what was written, how much, how fast and by what."""
        rest = self.frames - self.inpainted
        copied = f", {rest} of them without a hole," if rest else ""
        name = "standard output" if self.output == "-" else self.output
        count = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        by = "" if self.backend is None else f" by {self.backend}"
        return f"{name}: {count}{copied} in {self.seconds:.1f} s ({self.fps:.1f} frames/s){by}"
