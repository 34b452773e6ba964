"""Scores as they come: one JSON line each, so that a stopped evaluation goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.atomic import replacing
from ptfan.training.evaluation.figures import plain_figures, read_figures

__all__ = ["Journal", "Score"]


@dataclass(frozen=True)
class Score:
    """How a method did on a clip with one kind of hole."""

    key: str
    """Tells what was evaluated, and how: equal keys mean equal scores."""
    clip: str
    """The clip's name."""
    kind: str
    """The hole's kind."""
    method: str
    """The method's name."""
    frames: int
    """Frames that have a hole, which are those that count."""
    values: Mapping[str, float]
    """Figures by name, see `ptfan.training.evaluation.columns`; nan where there is nothing to measure."""

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"values": plain_figures(self.values)}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Score:
        """Return the score of plain values."""
        return cls(**plain | {"values": read_figures(plain["values"])})


class Journal:
    """The scores in a folder: `scores.jsonl`, and features for VFID in `features/`."""

    def __init__(self, folder: Path) -> None:
        """Read what is there; a line that was not written to its end is left out."""
        self._path, self._features = folder / "scores.jsonl", folder / "features"
        self._scores: dict[str, Score] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def get(self, key: str, *, features: bool) -> Score | None:
        """Return the score with a key, None if it (or its features, where these are wanted) is not there."""
        return self._scores.get(key) if not features or self._file(key).exists() else None

    def add(self, score: Score, features: NDArray[np.float64] | None) -> None:
        """Write a score, and the result's features."""
        if features is not None:
            self.keep(score.key, features)
        self._scores[score.key] = score
        with self._path.open("a", encoding="utf-8") as file:
            # After an interruption the last line may lack its end.
            file.write(("\n" if self._torn() else "") + json.dumps(score.plain()) + "\n")

    def keep(self, key: str, features: NDArray[np.float64]) -> None:
        """Write features alone: those of an original."""
        self._features.mkdir(exist_ok=True)
        with replacing(self._file(key)) as file:
            np.save(file, features)

    def features(self, key: str) -> NDArray[np.float64] | None:
        """Return the features with a key, None if they are not there."""
        path = self._file(key)
        return np.asarray(np.load(path, allow_pickle=False), np.float64) if path.exists() else None

    def _file(self, key: str) -> Path:
        return self._features / f"{key}.npy"

    def _read(self, line: str) -> None:
        try:
            score = Score.of(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        self._scores[score.key] = score

    def _torn(self) -> bool:
        if not self._path.exists() or not self._path.stat().st_size:
            return False
        with self._path.open("rb") as file:
            file.seek(-1, 2)
            return file.read() != b"\n"
