"""What results look like: single frames are kept, and put together as contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.pictures.picture import encode_png
from ptfan.training.data.pixels import HOLE_COLOUR, Pixels
from ptfan.training.evaluation.journal import Score
from ptfan.training.evaluation.task import Task

__all__ = ["INPUT", "TRUTH", "PictureStore"]

CAPTION_HEIGHT = 18
ROWS = 12
"""Rows of a contact sheet; more clips make more sheets."""
INPUT, TRUTH = "input", "truth"
"""What the pictures beside the methods' own are called."""


class PictureStore:
    """The middle frame of every result in a folder, one PNG a score, so that a stopped evaluation loses none.

    A PNG holds the input, the result and the truth beside each other. Its name has the score's key, so that no sheet
    shows a result that another score tells of.
    """

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made when the first picture comes."""
        self._folder = folder

    def keep(self, score: Score, task: Task, result: Sequence[Pixels]) -> None:
        """Keep the frame of a task with its hole, as a score's method filled it, and as it was."""
        place = self._place(task)
        image, hole = task.truth[place], task.holes[place]
        shown = np.where(hole[..., None], np.array(HOLE_COLOUR, np.uint8), image)
        strip = np.concatenate([shown, result[place], image], axis=1)
        path = self._file(score)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(strip))

    def sheets(self, scores: Sequence[Score], folder: Path) -> list[Path]:
        """Write contact sheets for each kind of hole: a row for each clip, with input, every method and truth.

        Args:
            scores: each clip's in the methods' order.
            folder: where to write `sheet-KIND.jpg`; more than twelve clips go on in `sheet-KIND-2.jpg` and so on.

        Returns:
            The files; clips of which a picture is missing have no row.
        """
        written = []
        for kind in dict.fromkeys(score.kind for score in scores):
            of_kind = [score for score in scores if score.kind == kind]
            clips = [list(group) for _, group in groupby(of_kind, lambda score: score.clip)]
            rows = [row for clip in clips if (row := self._row(clip)) is not None]
            for number, first in enumerate(range(0, len(rows), ROWS), 1):
                written.append(folder / (f"sheet-{kind}.jpg" if number == 1 else f"sheet-{kind}-{number}.jpg"))
                _write_sheet(rows[first : first + ROWS], written[-1])
        return written

    def _row(self, scores: Sequence[Score]) -> Pixels | None:
        read = [cv2.imread(str(self._file(score)), cv2.IMREAD_COLOR) for score in scores]
        strips = [np.split(np.asarray(strip, np.uint8), 3, axis=1) for strip in read if strip is not None]
        if len(strips) < len(scores):
            return None
        captions = (f"{scores[0].clip}: {INPUT}", *(score.method for score in scores), TRUTH)
        pictures = (strips[0][0], *(strip[1] for strip in strips), strips[0][2])
        return np.concatenate([_captioned(*pair) for pair in zip(captions, pictures, strict=True)], axis=1)

    def _file(self, score: Score) -> Path:
        clip, method = (name.replace("/", "_") for name in (score.clip, score.method))
        return self._folder / score.kind / clip / f"{method}-{score.key}.png"

    @staticmethod
    def _place(task: Task) -> int:
        """Return the frame to look at: the middle one of those with a hole."""
        counted = task.counted
        return counted[len(counted) // 2] if counted else len(task.truth) // 2


def _write_sheet(rows: Sequence[Pixels], path: Path) -> None:
    width = max(row.shape[1] for row in rows)
    even = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    _, content = cv2.imencode(".jpg", np.concatenate(even), [cv2.IMWRITE_JPEG_QUALITY, 88])
    path.write_bytes(content.tobytes())  # `cv2.imwrite` takes a full disk for success


def _captioned(caption: str, picture: NDArray[np.uint8]) -> Pixels:
    """Put a frame round a picture, with a caption above."""
    framed = cv2.copyMakeBorder(picture, CAPTION_HEIGHT, 2, 2, 2, cv2.BORDER_CONSTANT, value=(26, 26, 26))
    origin = (6, CAPTION_HEIGHT - 5)
    cv2.putText(framed, caption, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (240, 240, 240), 1, cv2.LINE_AA)
    return np.asarray(framed, np.uint8)
