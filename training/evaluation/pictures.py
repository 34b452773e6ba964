"""What results look like: single frames are kept, and put together as contact sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.training.data.pixels import HOLE_COLOUR, Pixels
from ptfan.training.evaluation.task import Task

__all__ = ["INPUT", "TRUTH", "PictureStore"]

CAPTION_HEIGHT = 18
ROWS = 12
"""Rows of a contact sheet; more clips make more sheets."""
INPUT, TRUTH = "input", "truth"
"""What the pictures beside the methods' own are called."""


class PictureStore:
    """The middle frame of every result in a folder, one PNG each, so that a stopped evaluation loses none."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made when the first picture comes."""
        self._folder = folder

    def keep(self, task: Task, results: Mapping[str, Sequence[Pixels]]) -> None:
        """Keep the frame of a task with its hole, the truth, and the results by the methods' names."""
        place = self._place(task)
        image, hole = task.truth[place], task.holes[place]
        self._write(
            task.kind, task.footage.clip, INPUT, np.where(hole[..., None], np.array(HOLE_COLOUR, np.uint8), image)
        )
        self._write(task.kind, task.footage.clip, TRUTH, image)
        for method, frames in results.items():
            self._write(task.kind, task.footage.clip, method, frames[place])

    def sheets(self, kind: str, clips: Sequence[str], methods: Sequence[str], path: Path) -> list[Path]:
        """Write contact sheets: a row for each clip, the input, every method and the truth.

        Args:
            kind: the holes' kind.
            clips: the rows.
            methods: the columns between input and truth.
            path: where to; sheets after the first get `-2`, `-3` ... before the suffix.

        Returns:
            The files; clips that were never kept have no row.
        """
        rows = [row for clip in clips if (row := self._row(kind, clip, methods)) is not None]
        written = []
        for number, first in enumerate(range(0, len(rows), ROWS), 1):
            target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            _write_sheet(rows[first : first + ROWS], target)
            written.append(target)
        return written

    def _row(self, kind: str, clip: str, methods: Sequence[str]) -> Pixels | None:
        names = (INPUT, *methods, TRUTH)
        read = [cv2.imread(str(self._file(kind, clip, name)), cv2.IMREAD_COLOR) for name in names]
        pictures = [np.asarray(picture, np.uint8) for picture in read if picture is not None]
        if len(pictures) < len(names):
            return None
        captions = (f"{clip}: {INPUT}", *methods, TRUTH)
        return np.concatenate([_captioned(*pair) for pair in zip(captions, pictures, strict=True)], axis=1)

    def _write(self, kind: str, clip: str, name: str, picture: Pixels) -> None:
        path = self._file(kind, clip, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def _file(self, kind: str, clip: str, name: str) -> Path:
        return self._folder / kind / clip.replace("/", "_") / f"{name.replace('/', '_')}.png"

    @staticmethod
    def _place(task: Task) -> int:
        """Return the frame to look at: the middle one of those with a hole."""
        counted = task.counted
        return counted[len(counted) // 2] if counted else len(task.truth) // 2


def _write_sheet(rows: Sequence[Pixels], path: Path) -> None:
    width = max(row.shape[1] for row in rows)
    even = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    cv2.imwrite(str(path), np.concatenate(even), [cv2.IMWRITE_JPEG_QUALITY, 88])


def _captioned(caption: str, picture: NDArray[np.uint8]) -> Pixels:
    """Put a frame round a picture, with a caption above."""
    framed = cv2.copyMakeBorder(picture, CAPTION_HEIGHT, 2, 2, 2, cv2.BORDER_CONSTANT, value=(26, 26, 26))
    origin = (6, CAPTION_HEIGHT - 5)
    cv2.putText(framed, caption, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (240, 240, 240), 1, cv2.LINE_AA)
    return np.asarray(framed, np.uint8)
