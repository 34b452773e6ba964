"""Fonts, and random words in the scripts that they have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font

from ptfan.engine.errors import InputError

__all__ = ["Fonts", "Script", "find_fonts"]

COVERED = 0.25
"""The share of a script's letters that a font needs to be taken for it: few have all ideographs."""
DIGITS = "0123456789"
MARKS = ",.!?:;-\"'"


def _span(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


@dataclass(frozen=True)
class Script:
    """A way of writing."""

    letters: str
    """Its letters, small ones where there are two kinds; those that are frequent may stand there more than once."""
    weight: float
    """How often it is taken, in relation to the others."""
    word: tuple[int, int] = (1, 10)
    """Letters in a word, from and up to."""

    def words(self, rng: np.random.Generator, count: int) -> list[str]:
        """Return random words: small, with a capital, or in capitals; some of digits, some with a mark behind them."""
        style = _STYLES[int(rng.choice(len(_STYLES), p=(0.45, 0.25, 0.3)))]
        return [self._word(rng, style) for _ in range(count)]

    def _word(self, rng: np.random.Generator, style: Callable[[str], str]) -> str:
        letters = DIGITS if rng.random() < 0.06 else self.letters
        places = rng.integers(len(letters), size=rng.integers(self.word[0], self.word[1] + 1))
        word = style("".join(letters[place] for place in places))
        return word + (MARKS[rng.integers(len(MARKS))] if rng.random() < 0.15 else "")


_STYLES: tuple[Callable[[str], str], ...] = (str, str.capitalize, str.upper)
SCRIPTS = (
    Script("etaoinsrhldcumfpgwybvkxjqz" + 3 * "etaoinsrhldcumfpgwyb", 10),
    Script("abcdefghijklmnopqrstuvwxyzàâäåæçèéêëíîïñóôöøßúûü", 1.5),
    Script(_span(0x430, 0x44F), 1.5),
    Script(_span(0x3B1, 0x3C9), 0.5),
    Script(_span(0x4E00, 0x9FA5), 3.5, (2, 14)),
    Script(_span(0x3041, 0x3093) + _span(0x30A1, 0x30F6), 1.2, (3, 14)),
    Script(_span(0xAC00, 0xD7A3), 1.2, (1, 6)),
    Script(_span(0x621, 0x63A) + _span(0x641, 0x64A), 0.5),
    Script(_span(0x905, 0x939), 0.5),
    Script(_span(0x5D0, 0x5EA), 0.3),
    Script(_span(0xE01, 0xE30), 0.3),
)
"""What captions are written in."""


@dataclass(frozen=True)
class Fonts:
    """Fonts by the scripts that they have."""

    by_script: tuple[tuple[tuple[Script, str], ...], ...]
    """For each script, the files of its fonts, each with the letters that it has."""

    def choose(self, rng: np.random.Generator) -> tuple[Script, str]:
        """Return a script and a font that has it."""
        weights = np.array([fonts[0][0].weight for fonts in self.by_script])
        fonts = self.by_script[int(rng.choice(len(weights), p=weights / weights.sum()))]
        return fonts[int(rng.integers(len(fonts)))]


def find_fonts(folder: Path | None = None) -> Fonts:
    """Look for fonts.

    Args:
        folder: is gone through with all that is in it; without it, those that are installed are taken, and
            matplotlib's own.

    Raises:
        InputError: there is none that has letters of a script.
    """
    folders = [get_data_path()] if folder is None else [str(folder)]
    paths = sorted({*findSystemFonts(folders), *(findSystemFonts() if folder is None else ())})
    charmaps = [(path, _charmap(path)) for path in paths]
    fonts = [tuple(_with(script, charmaps)) for script in SCRIPTS]
    if not any(fonts):
        raise InputError(
            f"fonts: none of the {len(paths)} in {folder} has letters; give a folder of TrueType or OpenType fonts"
        )
    return Fonts(tuple(found for found in fonts if found))


def _charmap(path: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # a font of bitmaps, or a broken one
        return frozenset()


def _with(script: Script, charmaps: Sequence[tuple[str, frozenset[int]]]) -> list[tuple[Script, str]]:
    """Return the fonts that have a script, each with the letters that it has."""
    found = []
    for path, has in charmaps:
        letters = "".join(letter for letter in script.letters if ord(letter) in has)
        if len(letters) >= COVERED * len(script.letters):
            found.append((replace(script, letters=letters), path))
    return found
