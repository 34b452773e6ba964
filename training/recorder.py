"""What a run tells of itself: its log, TensorBoard, curves and the line for people. One process of a run holds it."""

from __future__ import annotations

import time

from ptfan.training.board import Board
from ptfan.training.curves import draw_curves
from ptfan.training.learner import Learner
from ptfan.training.progress import TrainingProgress
from ptfan.training.run_folder import RunFolder

__all__ = ["Recorder"]


class Recorder:
    """Writes what is measured, from a step on."""

    def __init__(self, folder: RunFolder, steps: int, first_step: int) -> None:
        """Go on after `first_step` of `steps`; what the folder has of later steps is dropped."""
        folder.forget_after(first_step)
        self._folder = folder
        self._board = Board(folder.board, first_step)
        self._progress = TrainingProgress(steps, first_step)
        self._begin = time.monotonic()

    def advance(self, step: int, hole_psnr: float) -> None:
        """Tell that `step` steps are done."""
        self._progress.advance(step, time.monotonic() - self._begin, hole_psnr)

    def entry(self, entry: dict[str, float]) -> None:
        """Write an entry of the log."""
        self._folder.add_entry(entry)
        self._board.scalars(entry)
        self._progress.entry(entry, time.monotonic() - self._begin)

    def picture(self, learner: Learner, step: int) -> None:
        """Write a strip of the latest step's clips."""
        if learner.shown is not None:
            self._board.strip(*learner.shown, step)

    def close(self) -> None:
        """Write what is left, and draw the curves."""
        self._progress.close()
        self._board.close()
        draw_curves(self._folder.log, self._folder.curves)
