"""RAFT (Teed and Deng, 2020) through torchvision, with weights that the user has."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ptfan.engine.errors import InputError, InputNotFoundError, MissingExtraError, one_line
from ptfan.training.weights import read_weights

__all__ = ["load_raft"]

LEAST = 128
"""The least side of an image, pixels: below it RAFT's coarsest correlations vanish."""
UPDATES = 12
"""Times that the flow is refined; torchvision's own number."""
SMALL_WIDTH = 32
"""Channels of the first convolution of `raft_small`; `raft_large` has 64."""
FIRST_CONVOLUTION = "feature_encoder.convnormrelu.0.weight"


def load_raft(
    weights: Path | None, device: str = "cpu"
) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]:
    """Load RAFT, large or small as the weights are.

    Args:
        weights: a file of torchvision's `Raft_Large_Weights` or `Raft_Small_Weights`.
        device: where to compute.

    Returns:
        A function from two images (H, W, 3) uint8 RGB to the flow (H, W, 2) from the first to the second, in pixels.

    Raises:
        MissingExtraError: torchvision is not installed, or does not fit torch.
        InputNotFoundError: no weights are named, or the file is not there.
        InputError: the file holds something else.
    """
    try:
        optical_flow: Any = import_module("torchvision.models.optical_flow")
    except (ImportError, RuntimeError) as error:
        raise MissingExtraError(
            f"flow: raft needs torchvision, which cannot be imported ({error}): pip install torchvision"
        ) from error
    if weights is None or not weights.is_file():
        raise InputNotFoundError(
            f"flow: raft needs torchvision's weights, {weights or 'no file'} is not there; get "
            "raft_large_C_T_SKHT_V2-ff5fadd5.pth from download.pytorch.org/models and give --weights FILE"
        )
    state = read_weights(weights)
    first = state.get(FIRST_CONVOLUTION)
    if first is None or first.ndim != 4:
        raise InputError(f"flow: {weights} are not torchvision's weights of RAFT; it has no {FIRST_CONVOLUTION}")
    small = first.shape[0] == SMALL_WIDTH
    network = (optical_flow.raft_small if small else optical_flow.raft_large)(weights=None, progress=False)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"flow: {weights} are not torchvision's weights of RAFT ({one_line(error, 120)})") from error
    network = network.to(device).eval()
    return lambda first, second: _flow(network, first, second, device)


@torch.inference_mode()
def _flow(network: Any, first: NDArray[np.uint8], second: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
    height, width = first.shape[:2]
    images = [_padded(image).to(device) for image in (first, second)]
    flow = network(*images, num_flow_updates=UPDATES)[-1][0, :, :height, :width]
    return np.ascontiguousarray(flow.float().cpu().numpy().transpose(1, 2, 0))


def _padded(image: NDArray[np.uint8]) -> torch.Tensor:
    """Return (1, 3, H, W) in [-1, 1], its last pixels repeated to a multiple of 8 and to the least side."""
    height, width = image.shape[:2]
    right, below = max(-width % 8, LEAST - width), max(-height % 8, LEAST - height)
    tensor = torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32)) / 127.5 - 1.0
    return functional.pad(tensor, (0, right, 0, below), mode="replicate")
