"""Pictures for people: contact sheets of results, and the curves of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Mask

__all__ = ["Shown", "contact_row", "draw_curves", "write_sheet"]

Picture = NDArray[np.float32]
Shown = NDArray[np.uint8]
"""(H, W, 3) RGB."""
HOLE_COLOUR = np.array((0.95, 0.2, 0.75), np.float32)
CAPTION_HEIGHT = 18


def contact_row(truth: Picture, hole: Mask, results: Mapping[str, Picture]) -> Shown:
    """Return one row of a contact sheet: the frame with its hole, every result, the truth; each with its caption."""
    shown = np.where(hole[..., None], HOLE_COLOUR, truth)
    return np.concatenate(
        [_captioned(name, picture) for name, picture in {"input": shown, **results, "truth": truth}.items()], axis=1
    )


def write_sheet(rows: Sequence[Shown], path: Path) -> None:
    """Write rows of equal width below each other as one PNG or JPEG."""
    sheet = np.concatenate(rows)
    cv2.imwrite(str(path), np.ascontiguousarray(sheet[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 88])


def draw_curves(log: Path, path: Path) -> None:
    """Draw the losses of a run's `log.jsonl` as a PNG."""
    from matplotlib.figure import Figure

    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, label in (
        ("hole", "fill, in the hole"),
        ("input_hole", "propagated input, in the hole"),
        ("own_hole", "own picture, in the hole (weighted)"),
        ("own_known", "own picture, outside (weighted)"),
    ):
        values = np.array([entry[name] for entry in entries])
        smooth = np.convolve(np.pad(values, 4, mode="edge"), np.ones(9) / 9, mode="valid")
        axes.plot([entry["step"] for entry in entries], smooth, label=label)
    axes.set(xlabel="step", ylabel="mean absolute error", yscale="log")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


def _captioned(caption: str, picture: Picture) -> Shown:
    pixels = np.rint(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)
    framed: Shown = cv2.copyMakeBorder(pixels, CAPTION_HEIGHT, 2, 2, 2, cv2.BORDER_CONSTANT, value=(26, 26, 26))
    origin = (6, CAPTION_HEIGHT - 5)
    cv2.putText(framed, caption, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (240, 240, 240), 1, cv2.LINE_AA)
    return framed
