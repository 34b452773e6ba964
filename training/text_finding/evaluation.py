"""How well text is found: captions are drawn on clips, and the runtime looks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.folders import make_folder
from ptfan.engine.frame import Box, Mask
from ptfan.engine.masks.shaping import grow_hole
from ptfan.engine.masks.text_finder import TextFinder
from ptfan.engine.models import TEXT_MODEL, file_sha256
from ptfan.engine.pictures.drawing import draw_mask
from ptfan.engine.pictures.picture import Picture, encode_png
from ptfan.engine.versions import versions
from ptfan.training.data.clips import Clip
from ptfan.training.data.datasets import open_dataset
from ptfan.training.data.pixels import Pixels, to_floats
from ptfan.training.evaluation.figures import mean_figure
from ptfan.training.evaluation.progress import EvaluationProgress
from ptfan.training.text_finding.fonts import Fonts, find_fonts
from ptfan.training.text_finding.lettering import Caption, draw_caption
from ptfan.training.text_finding.stored import as_stored

__all__ = ["TextEvaluation", "TextScore", "evaluate_text"]

BAND = 1 / 3
"""The share of the frame's height, at its bottom, in which captions stand and are looked for."""
LETTERS = (0.045, 0.1)
"""The least and the largest size of letters, shares of the frame's shorter side."""
EMPTY = 2
"""Frames at both ends that have no caption."""
BESIDE = 3
"""Pixels round the text that may be taken for it: a mask is grown a little anyway."""
SHOWN = 640
"""The most pixels of the width of the report's pictures."""


HEAD = (
    "| captions | clips | found, % | in the first frame, % | beside the text, % | without a caption, % | missed |\n"
    "|---:|---:|---:|---:|---:|---:|---:|\n"
)
NOTE = (
    "\nFound: the text's pixels, outlines, shadows and plates with it. Beside the text: of what was found, what lies\n"
    f"more than {BESIDE} pixels from it. Without a caption: of the place, what was taken for text in frames without.\n"
    "Missed: captions of which less than half was found.\n"
)


@dataclass(frozen=True, kw_only=True)
class TextEvaluation:
    """What `ptfan eval-text` was asked for."""

    data: Path
    """The dataset's folder."""
    fonts: Path | None = None
    """Folder of fonts; those that are installed without it."""
    model: Path = TEXT_MODEL
    """The network."""
    captions: int = 4
    """Captions that are drawn on each clip, one after the other."""
    frames: int = 16
    """The most frames of a clip."""
    seed: int = 0
    """Seed of the captions."""


@dataclass(frozen=True)
class TextScore:
    """The figures of a clip with one caption."""

    clip: str
    """The clip's name."""
    found: float
    """Share of the text's pixels that were found, mean over the frames that have it."""
    first: float
    """That of the first frame that has it."""
    beside: float
    """Share of what was found that lies more than `BESIDE` pixels from the text, mean over these frames."""
    empty: float
    """Share of the place that was taken for text in frames without any."""

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {name: value if name == "clip" else round(value, 5) for name, value in asdict(self).items()}


def evaluate_text(settings: TextEvaluation, output: Path) -> str:
    """Measure, and write the report; return its table.

    Args:
        settings: what to measure.
        output: gets `text.md`, `text.json` and `text.png`, which shows a frame of each clip.

    Raises:
        InputError: the dataset cannot be used, or there are no fonts.
        ModelError: the model finds no text.
    """
    clips, fonts = open_dataset(settings.data).clips, find_fonts(settings.fonts)
    if settings.frames <= 2 * EMPTY:
        raise InputError(f"frames is {settings.frames}, expected more than {2 * EMPTY}: so many have no caption")
    scores, pictures = [], []
    progress = EvaluationProgress(len(clips) * settings.captions)
    with TextFinder.open(settings.model) as finder, progress:
        make_folder(output)
        for place, clip in enumerate(clips):
            for score, picture in _results(clip, place, fonts, finder, settings):
                scores.append(score)
                pictures.append(picture)
                progress.advance(clip.name)
    table = _table(scores, len(clips))
    (output / "text.md").write_text(table, encoding="utf-8")
    (output / "text.json").write_text(_record(settings, scores), encoding="utf-8")
    (output / "text.png").write_bytes(encode_png(_sheet(pictures)))
    return table


def _results(
    clip: Clip, place: int, fonts: Fonts, finder: TextFinder, settings: TextEvaluation
) -> Iterator[tuple[TextScore, Picture]]:
    """Yield figures and a picture of each caption on a clip."""
    images = clip.read(0, min(clip.frames, settings.frames))
    if len(images) <= 2 * EMPTY:
        raise InputError(f"clip {clip.name}: {len(images)} frames, expected more than {2 * EMPTY}")
    height, width = images.shape[1:3]
    rows = round(height * BAND)
    band, side = Box(0, height - rows, width, rows), min(width, height)
    for number in range(settings.captions):
        rng = np.random.default_rng((settings.seed, place, number))
        caption = draw_caption(rng, fonts, (width, rows), (LETTERS[0] * side, LETTERS[1] * side))
        shown = _captioned(rng, images, caption, band)
        masks = [finder.find(image, [band], t) for t, image in enumerate(shown)]
        middle = len(shown) // 2
        picture = draw_mask(shown[middle], masks[middle])[band.slices]
        yield _score(clip.name, [mask[band.slices] for mask in masks], caption.mask > 0), picture


def _captioned(rng: np.random.Generator, images: Pixels, caption: Caption, band: Box) -> list[Pixels]:
    """Return frames as a file has them, with a caption on all but the first and the last few."""
    quality, shown = int(rng.integers(50, 96)), []
    for t, image in enumerate(images):
        picture = to_floats(image).copy()
        if EMPTY <= t < len(images) - EMPTY:
            picture[band.slices] = caption.over(picture[band.slices])
        shown.append(as_stored(rng, picture, quality, noise=0.005))
    return shown


def _score(name: str, masks: Sequence[Mask], text: Mask) -> TextScore:
    with_text, without = masks[EMPTY:-EMPTY], [*masks[:EMPTY], *masks[-EMPTY:]]
    near = grow_hole(text, BESIDE)
    found = [float(mask[text].mean()) for mask in with_text]
    beside = [float((mask & ~near).sum() / max(1, mask.sum())) for mask in with_text]
    return TextScore(name, float(np.mean(found)), found[0], float(np.mean(beside)), float(np.mean(without)))


def _table(scores: Sequence[TextScore], clips: int) -> str:
    """Return one row: means over all captions, and how many were hardly found."""
    names = ("found", "first", "beside", "empty")
    means = [f"{100 * mean_figure(getattr(score, name) for score in scores):.1f}" for name in names]
    missed = sum(score.found < 0.5 for score in scores)
    return f"{HEAD}| {len(scores)} | {clips} | {' | '.join(means)} | {missed} |\n{NOTE}"


def _record(settings: TextEvaluation, scores: Sequence[TextScore]) -> str:
    asked = {name: value if isinstance(value, int) else str(value) for name, value in asdict(settings).items()}
    told = [score.plain() for score in scores]
    about = {**asked, "model_sha256": file_sha256(settings.model), "versions": versions(), "scores": told}
    return json.dumps(about, indent=1, allow_nan=False) + "\n"


def _sheet(pictures: Sequence[Picture]) -> Picture:
    """Return pictures below each other, at one width."""
    width = min(SHOWN, max(picture.shape[1] for picture in pictures))
    sizes = [(width, max(1, round(picture.shape[0] * width / picture.shape[1]))) for picture in pictures]
    rows = [
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture, size in zip(pictures, sizes, strict=True)
    ]
    return np.asarray(np.concatenate(rows), np.uint8)
