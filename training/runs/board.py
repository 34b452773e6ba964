"""A run in TensorBoard: its scalars, and strips of pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ptfan.training.data.pixels import HOLE_COLOUR
from ptfan.training.runs.batch import Batch

__all__ = ["Board", "picture_strip"]


class Board:
    """Writes TensorBoard's files."""

    def __init__(self, folder: Path, first_step: int) -> None:
        """Go on in `folder`; what it has of steps after `first_step` is passed over."""
        self._writer = SummaryWriter(str(folder), purge_step=first_step + 1)

    def scalars(self, entry: dict[str, float]) -> None:
        """Add an entry of the log."""
        for name, value in entry.items():
            if name != "step":
                self._writer.add_scalar(f"train/{name}", value, int(entry["step"]))

    def picture(self, picture: Tensor, step: int) -> None:
        """Add a picture (3, H, W) of one sample, in [0, 1]."""
        self._writer.add_image("sample", picture, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


@torch.no_grad()
def picture_strip(batch: Batch, fill: Tensor) -> Tensor:
    """Return the first clip's middle frame with its hole marked, filled, and in truth, side by side: (3, H, 3 W)."""
    frame = batch.frames // 2
    hole = batch.hole[frame] > 0.5
    truth = batch.target[frame].float()
    marked = torch.where(hole, truth.new_tensor(HOLE_COLOUR).reshape(3, 1, 1) / 255, truth)
    filled = torch.where(hole, fill[frame].float(), truth)
    return torch.cat((marked, filled, truth), dim=2).clamp(0, 1).cpu()
