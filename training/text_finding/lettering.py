"""Captions as people lay them over videos: random words, in random fonts, sizes and colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ptfan.training.data.pixels import Floats, to_floats
from ptfan.training.text_finding.fonts import Fonts

__all__ = ["Caption", "draw_caption"]

Rng = np.random.Generator
Colour = NDArray[np.float64]
"""(3,), RGB in [0, 1], or (H, 1, 3): one for each row."""
MOST_LINES = 3
SEEN = 0.1
"""Cover from which a pixel counts as one of the caption."""


@dataclass(frozen=True)
class Caption:
    """A caption on a picture's canvas."""

    paint: Floats
    """(H, W, 3), its colours, multiplied by how far they cover."""
    cover: Floats
    """(H, W), how far they cover what is behind."""

    def over(self, picture: Floats) -> Floats:
        """Return a picture (H, W, 3) with the caption on it."""
        covered: Floats = picture * (1 - self.cover[..., None]) + self.paint
        return covered

    def moved(self, dx: float, dy: float) -> Caption:
        """Return it elsewhere, by so many pixels."""
        matrix, size = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]]), self.cover.shape[::-1]
        return Caption(*(np.asarray(cv2.warpAffine(plane, matrix, size)) for plane in (self.paint, self.cover)))

    @property
    def mask(self) -> Floats:
        """(H, W), 1 where it is seen: letters, outline, shadow and plate."""
        return (self.cover > SEEN).astype(np.float32)


def draw_caption(rng: Rng, fonts: Fonts, size: tuple[int, int], letter: tuple[float, float]) -> Caption:
    """Draw a caption of one to three lines at a random place.

    Args:
        rng: what decides.
        fonts: what it is written in.
        size: (width, height) of the canvas, pixels.
        letter: the least and the largest size of letters, pixels.
    """
    while True:
        caption = _draw(rng, fonts, size, letter)
        if caption is not None:
            return caption


def _draw(rng: Rng, fonts: Fonts, size: tuple[int, int], letter: tuple[float, float]) -> Caption | None:
    """Return a caption, or None where the font draws nothing of it."""
    pixels = float(np.exp(rng.uniform(*np.log(letter))))
    script, path = fonts.choose(rng)
    font = ImageFont.truetype(path, round(pixels))
    lines = min(int(rng.integers(1, MOST_LINES + 1)), max(1, int(1.1 * size[1] / pixels)))
    text = "\n".join(_line(rng, script.words(rng, 40), font, rng.uniform(0.2, 1.1) * size[0]) for _ in range(lines))
    write = _writer(rng, text, font, size, pixels)
    if write(0).max() < 0.5:
        return None
    return _finished(rng, _coloured(rng, write, pixels))


def _line(rng: Rng, words: list[str], font: ImageFont.FreeTypeFont, width: float) -> str:
    """Return as many of the words as fit into a width, one at least; scripts of long words are cut within one."""
    line = words[0]
    for word in words[1:]:
        if font.getlength(f"{line} {word}") > width:
            break
        line = f"{line} {word}"
    return line


def _writer(
    rng: Rng, text: str, font: ImageFont.FreeTypeFont, size: tuple[int, int], pixels: float
) -> Callable[[int], Floats]:
    """Return what draws the text with an outline of so many pixels, as a plane (H, W) in [0, 1]."""
    align = str(rng.choice(["left", "center", "right"], p=[0.25, 0.65, 0.1]))
    spacing = rng.uniform(0.0, 0.35) * pixels
    centre = (size[0] * rng.uniform(0.2, 0.8), size[1] * rng.uniform(0.15, 0.85))

    def write(stroke: int) -> Floats:
        canvas = Image.new("L", size)
        ImageDraw.Draw(canvas).multiline_text(
            centre, text, 255, font, anchor="mm", align=align, spacing=spacing, stroke_width=stroke
        )
        return to_floats(np.asarray(canvas))

    return write


def _coloured(rng: Rng, write: Callable[[int], Floats], pixels: float) -> Caption:
    """Return the text with what stands behind it: a plate, a shadow, an outline."""
    fill = _colour(rng)
    stroke = max(1, round(pixels * rng.uniform(0.03, 0.12))) if rng.random() < 0.5 else 0
    outlined = write(stroke)
    caption = _nothing(outlined.shape)
    if rng.random() < 0.14:
        caption = _laid(caption, _plate(rng, outlined, pixels), _contrast(rng, fill))
    if rng.random() < (0.3 if stroke else 0.5):
        caption = _laid(caption, _shadow(rng, outlined, pixels), np.zeros(3))
    if stroke:
        caption = _laid(caption, outlined, _contrast(rng, fill))
    return _laid(caption, write(0), _shaded(rng, fill, outlined.shape[0]))


def _nothing(shape: tuple[int, ...]) -> Caption:
    return Caption(np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32))


def _laid(caption: Caption, cover: Floats, colour: Colour) -> Caption:
    """Return a caption with one more layer on it, of a colour, or of one for each row."""
    plane, tint = cover[..., None], np.asarray(colour, np.float32)
    return Caption(caption.paint * (1 - plane) + plane * tint, caption.cover * (1 - cover) + cover)


def _colour(rng: Rng) -> Colour:
    """Return what letters are painted with: mostly white, then yellow."""
    kind = rng.random()
    if kind < 0.5:
        return np.full(3, rng.uniform(0.85, 1.0))
    if kind < 0.65:
        return np.array([1.0, rng.uniform(0.75, 1.0), rng.uniform(0.0, 0.4)])
    return rng.uniform(0.0, 0.12, 3) if kind < 0.72 else rng.uniform(0.0, 1.0, 3)


def _shaded(rng: Rng, fill: Colour, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the colour, or one that changes down the letters, (H, 1, 3)."""
    if rng.random() > 0.08:
        return fill
    share = (0.5 + 0.5 * np.sin(np.arange(height) / rng.uniform(3, 12)))[:, None, None]
    return np.asarray(fill * share + rng.uniform(0.0, 1.0, 3) * (1 - share))


def _contrast(rng: Rng, fill: Colour) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the colour of what stands behind letters: black or white, or any other."""
    if rng.random() < 0.8:
        return np.full(3, rng.uniform(0.0, 0.1) if fill.mean() > 0.4 else rng.uniform(0.9, 1.0))
    return rng.uniform(0.0, 1.0, 3)


def _shadow(rng: Rng, outlined: Floats, pixels: float) -> Floats:
    """Return a shadow: moved and soft."""
    dx, dy = rng.uniform(-0.04, 0.1, 2) * pixels
    matrix = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
    moved = cv2.warpAffine(outlined, matrix, outlined.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.3, pixels * rng.uniform(0.0, 0.12)))
    return np.asarray(soft * np.float32(rng.uniform(0.5, 1.0)), np.float32)


def _plate(rng: Rng, outlined: Floats, pixels: float) -> Floats:
    """Return a plate behind the text."""
    x, y, width, height = cv2.boundingRect((outlined > SEEN).astype(np.uint8))
    pad = round(pixels * rng.uniform(0.1, 0.6))
    plate = np.zeros_like(outlined)
    plate[max(0, y - pad // 2) : y + height + pad // 2, max(0, x - pad) : x + width + pad] = rng.uniform(0.35, 1.0)
    return plate


def _finished(rng: Rng, caption: Caption) -> Caption:
    """Return a caption that lets the picture shine through, or is soft, now and then."""
    opacity = np.float32(rng.uniform(0.55, 1.0) if rng.random() < 0.2 else 1.0)
    planes = [caption.paint * opacity, caption.cover * opacity]
    if rng.random() < 0.3:
        blur = rng.uniform(0.3, 1.0)
        planes = [np.asarray(cv2.GaussianBlur(plane, (0, 0), blur)) for plane in planes]
    return Caption(planes[0].astype(np.float32), planes[1].astype(np.float32))
