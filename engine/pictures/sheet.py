"""Pictures side by side, under their titles."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ptfan.engine.pictures.picture import Picture

__all__ = ["GAP", "TITLE_HEIGHT", "side_by_side", "titles_above"]

GAP = 6
"""Pixels between two pictures, and below each."""
TITLE_HEIGHT = 28


def side_by_side(pictures: Sequence[Picture]) -> Picture:
    """Return pictures of one size in a row, on white, with a gap below."""
    padded = [np.pad(picture, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for picture in pictures]
    return np.hstack(padded)[:, :-GAP]


def titles_above(row: Picture, titles: Sequence[str]) -> Picture:
    """Return a row of `side_by_side` with a title above each of its pictures."""
    strip = np.full((TITLE_HEIGHT, row.shape[1], 3), 255, np.uint8)
    column = (row.shape[1] + GAP) // len(titles)
    for place, title in enumerate(titles):
        at = (place * column + 2, TITLE_HEIGHT - 9)
        cv2.putText(strip, title, at, cv2.FONT_HERSHEY_DUPLEX, 0.6, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([strip, row])
