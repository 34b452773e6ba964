"""Flow as a picture: the direction is the hue, the length the saturation."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ptfan.training.flow_completion.losses import FlowBatch
from ptfan.training.helpers.strip import enlarged_strip

__all__ = ["flow_colours", "flow_strip"]


def flow_colours(flow: NDArray[np.float32], longest: float) -> NDArray[np.float32]:
    """Return a picture (h, w, 3) in [0, 1] of flow (h, w, 2); white where nothing moves, full colours at `longest`."""
    length, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1], angleInDegrees=True)
    saturation = np.clip(length / np.float32(max(longest, 1e-3)), 0, 1)
    colours: NDArray[np.float32] = cv2.cvtColor(cv2.merge([angle, saturation, np.ones_like(length)]), cv2.COLOR_HSV2RGB)
    return colours


def flow_strip(batch: FlowBatch, completed: Tensor) -> Tensor:
    """Return the forward flow of the first clip's middle frame: smooth, completed and true, side by side.

    Args:
        batch: what was asked, and the truth.
        completed: (N, 4, h, w), the network's flow.

    Returns:
        See `enlarged_strip`.
    """
    frame = len(batch.target) // batch.clips // 2
    fields = [flow[frame, :2].float().cpu().numpy() for flow in (batch.flow, completed, batch.target)]
    longest = float(np.abs(fields[-1]).max())
    colours = [flow_colours(np.ascontiguousarray(field.transpose(1, 2, 0)), longest) for field in fields]
    return enlarged_strip([torch.from_numpy(picture).permute(2, 0, 1) for picture in colours])
