"""What the training of flow completion lowers: the error in the holes, and how badly it is foretold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ptfan.training.model.flow_completer import CompletedFlow

__all__ = ["FlowBatch", "flow_errors", "flow_losses"]

STILL = 0.5
"""Pixels added to a clip's scale of motion, so that the noise of a still one does not count for more than it is."""
SURE = 1e-3
"""Pixels added to the spread, whose logarithm would have no lower end."""


@dataclass(frozen=True)
class FlowBatch:
    """Clips of T frames, stacked: N = clips * T."""

    flow: Tensor
    """(N, 4, h, w), smoothly completed, in pixels of h x w."""
    known: Tensor
    """(N, 1, h, w), the share of each pixel that is known."""
    target: Tensor
    """(N, 4, h, w), of the complete frames."""
    clips: int
    """How many clips."""
    first: int
    """The first clip's number in the run's sequence of samples."""

    @classmethod
    def stack(cls, samples: Mapping[str, Tensor], first: int, device: torch.device) -> FlowBatch:
        """Stack collated samples (clips, T, C, h, w) and bring them to a device."""
        flow, known, target = (
            samples[name].flatten(0, 1).to(device, non_blocking=True) for name in ("flow", "known", "target")
        )
        return cls(flow, known, target, len(samples["flow"]), first)

    @staticmethod
    def unknown(batches: Sequence[FlowBatch]) -> Tensor:
        """Return how many pixels are unknown in a pass, a scalar: the mean over the passes."""
        return torch.stack([(1 - batch.known).sum() for batch in batches]).mean()


def flow_errors(flow: Tensor, target: Tensor) -> Tensor:
    """Return the absolute errors of forward and of backward flow, summed over u and v: (N, 2, h, w) of (N, 4, h, w)."""
    error = (flow.float() - target).abs()
    return error.reshape(len(error), 2, 2, *error.shape[2:]).sum(dim=2)


def flow_losses(answer: CompletedFlow, batch: FlowBatch, unknown: Tensor, *, spread: float) -> dict[str, Tensor]:
    """Return the loss and the measures beside it, means over unknown pixels.

    Args:
        answer: the network's.
        batch: what it was asked, and the truth.
        unknown: pixels that the means are over, see `FlowBatch.unknown`.
        spread: the weight of `likelihood`.

    Returns:
        `loss`: what is lowered; `error`: the mean absolute error of the flow, of each frame relative to the root of its
        motion's size; `smooth_error`: the same of the smooth completion; `likelihood`: the mean negative
        log-likelihood of the errors, if they are Laplace's with the spread that the network foretells.
    """
    hole = (1 - batch.known) / (2 * unknown.clamp(min=1.0))
    relative = hole / _motion(batch.target).sqrt()
    error = flow_errors(answer.flow, batch.target)
    scale = answer.spread.float() + SURE
    # The error is taken as it is: the spread shall follow it, not the other way round.
    likelihood = ((error.detach() / (2 * scale) + scale.log()) * hole).sum()
    absolute = (error * relative).sum()
    smooth = (flow_errors(batch.flow, batch.target) * relative).sum()
    loss = absolute + spread * likelihood
    return {"loss": loss, "error": absolute, "smooth_error": smooth, "likelihood": likelihood}


def _motion(flow: Tensor) -> Tensor:
    """Return each frame's mean absolute deviation from its mean flow, (N, 1, 1, 1) pixels, a little more than zero."""
    mean = flow.mean(dim=(2, 3), keepdim=True)
    return (flow - mean).abs().mean(dim=(1, 2, 3), keepdim=True) + STILL
