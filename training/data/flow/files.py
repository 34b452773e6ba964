"""Flow that others computed: Middlebury `.flo` files beside a dataset's frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import InputError

__all__ = ["FlowFiles"]

FLO_MAGIC = 202021.25
"""The number that a `.flo` file begins with."""


@dataclass(frozen=True)
class FlowFiles:
    """Flow of the complete frames, computed elsewhere: Middlebury `.flo` files, T - 1 for each direction."""

    forward: tuple[Path, ...]
    """`A_B_f.flo`: from frame A to the next."""
    backward: tuple[Path, ...]
    """`A_B_b.flo`: from frame B to the one before."""

    def read(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return forward and backward flow (H, W, 2) between frames `number` and `number` + 1, in pixels."""
        return _read_flo(self.forward[number]), _read_flo(self.backward[number])


def _read_flo(path: Path) -> NDArray[np.float32]:
    content = path.read_bytes()
    if len(content) < 12 or np.frombuffer(content, "<f4", 1)[0] != FLO_MAGIC:
        raise InputError(f"flow {path}: is no .flo file; expected one that begins with {FLO_MAGIC}")
    width, height = (int(side) for side in np.frombuffer(content, "<i4", 2, offset=4))
    if min(width, height) < 1 or len(content) != 12 + 8 * width * height:
        raise InputError(f"flow {path}: {len(content)} bytes for {width}x{height}; the file is damaged, write it again")
    return np.frombuffer(content, "<f4", offset=12).reshape(height, width, 2).astype(np.float32)
