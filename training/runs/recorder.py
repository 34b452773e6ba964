"""What a run tells of itself: its log, TensorBoard, curves and the line for people. One process of a run holds it."""

from __future__ import annotations

import time

from torch import Tensor

from ptfan.training.runs.board import Board
from ptfan.training.runs.curves import draw_curves
from ptfan.training.runs.folder import RunFolder
from ptfan.training.runs.headline import Headline
from ptfan.training.runs.progress import TrainingProgress

__all__ = ["Recorder"]


class Recorder:
    """Writes what is measured, from a step on."""

    def __init__(self, folder: RunFolder, steps: int, first_step: int, headline: Headline) -> None:
        """Go on after `first_step` of `steps`; what the folder has of later steps is dropped."""
        folder.forget_after(first_step)
        self._folder, self._headline = folder, headline
        self._board = Board(folder.board, first_step)
        self._progress = TrainingProgress(steps, first_step, headline)
        self._begin = time.monotonic()

    def advance(self, step: int, measures: dict[str, float]) -> None:
        """Tell that `step` steps are done, and what the last one brought."""
        self._progress.advance(step, time.monotonic() - self._begin, measures)

    def entry(self, entry: dict[str, float]) -> None:
        """Write an entry of the log."""
        self._folder.add_entry(entry)
        self._board.scalars(entry)
        self._progress.entry(entry, time.monotonic() - self._begin)

    def picture(self, picture: Tensor | None, step: int) -> None:
        """Write a picture (3, H, W) of the latest step's clips, if there is one."""
        if picture is not None:
            self._board.picture(picture, step)

    def close(self) -> None:
        """Write what is left, and draw the curves."""
        self._progress.close()
        self._board.close()
        draw_curves(self._folder.log, self._folder.curves, self._headline)
