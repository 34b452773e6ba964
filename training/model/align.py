"""Everything temporal: the warp along the flow, the flow at each resolution, and the shift-and-align of features.

Frames are stacked along the first axis: N = clips * T, the clips one after the other. Nothing crosses a clip's ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ptfan.engine.spec import WarpConvention

__all__ = [
    "ClipEnds",
    "Ends",
    "Motion",
    "MotionPyramid",
    "align_folds",
    "align_past",
    "flow_warp",
    "reduced",
    "shift",
    "shift_and_align",
]


def flow_warp(
    x: Tensor,
    flow: Tensor,
    validity: Tensor,
    fallback: Tensor,
    convention: WarpConvention = "pixel",
    require_nonzero: bool = False,
) -> tuple[Tensor, Tensor]:
    """Sample `x` along `flow` where that is valid, and take `fallback` elsewhere. The reference of the `FlowWarp` op.

    Sampling is bilinear with zeros outside of the picture, and happens in fp32 whatever the features' type: at a width
    of 432, coordinates in fp16 would be off by a tenth of a pixel.

    Args:
        x: features of the frame that is looked up, (N, C, H, W).
        flow: (u, v) from each pixel to where it is found in `x`, (N, 2, H, W), fp32, in pixels of this size.
        validity: 1 where the flow is usable, else 0, (N, 1, H, W).
        fallback: what stands where it is not, (N, C, H, W).
        convention: `pixel` samples at p + flow. `tsam` samples at p * W / (W - 1) - 0.5 + flow, likewise in y: the
            published network's grid, whose ends are the picture's edges instead of the outer pixels' centres.
        require_nonzero: a pixel is also invalid where the warped channels' sum is 0 (the published forward branch).

    Returns:
        y: (N, C, H, W), of x's type.
        nonzero: 1 where the warped channels' sum is not 0, else 0, (N, 1, H, W), of x's type. No gradient.
    """
    warped = F.grid_sample(
        x.float(), _grid(flow.float(), convention), mode="bilinear", padding_mode="zeros", align_corners=False
    )
    nonzero = warped.detach().sum(dim=1, keepdim=True) != 0
    usable = validity > 0.5
    if require_nonzero:
        usable = usable & nonzero
    return torch.where(usable, warped.to(x.dtype), fallback), nonzero.to(x.dtype)


def _grid(flow: Tensor, convention: WarpConvention) -> Tensor:
    """Turn a flow (N, 2, H, W) into the sampling grid (N, H, W, 2); -1 and 1 are the picture's edges."""
    height, width = flow.shape[-2:]
    columns = _axis(width, convention, flow.device)
    rows = _axis(height, convention, flow.device)
    x = columns[None, None, :] + flow[:, 0] / width * 2
    y = rows[None, :, None] + flow[:, 1] / height * 2
    return torch.stack((x, y), dim=-1)


def _axis(size: int, convention: WarpConvention, device: torch.device) -> Tensor:
    """Where the pixels of one axis sample when the flow is zero, (size,)."""
    if convention == "tsam":
        return torch.linspace(-1, 1, size, device=device)
    return (torch.arange(size, device=device, dtype=torch.float32) * 2 + 1) / size - 1


@dataclass(frozen=True)
class Ends:
    """Which frames have neighbours: nothing crosses a clip's ends."""

    has_next: Tensor
    """Whether frame t is not its clip's last, (N, 1, 1, 1), bool."""
    has_previous: Tensor
    """Whether frame t is not its clip's first, (N, 1, 1, 1), bool."""


@dataclass(frozen=True)
class ClipEnds(Ends):
    """Which frames of stacked clips are neighbours."""

    following: Tensor
    """The frame after frame t, (N,), int64; a clip's last frame stands for its own."""
    preceding: Tensor
    """The frame before frame t, (N,), int64; a clip's first frame stands for its own."""

    @classmethod
    def build(cls, frames: int, clips: int, device: torch.device) -> ClipEnds:
        """Build for `clips` clips of equal length, `frames` frames in all."""
        length = frames // clips
        position = torch.arange(frames, device=device)
        place = position % length if clips > 1 else position
        has_next, has_previous = place < length - 1, place > 0
        return cls(
            has_next.reshape(-1, 1, 1, 1),
            has_previous.reshape(-1, 1, 1, 1),
            position + has_next.long(),
            position - has_previous.long(),
        )


@dataclass(frozen=True)
class Motion:
    """How the frames of the clips move, at one resolution h x w."""

    flow_forward: Tensor
    """From frame t to t + 1, on frame t, (N, 2, h, w), fp32, in pixels of h x w."""
    flow_backward: Tensor
    """From frame t to t - 1, on frame t, (N, 2, h, w), fp32, in pixels of h x w."""
    validity_forward: Tensor
    """1 where the forward flow is usable, (N, 1, h, w); a clip's last frame has none that is."""
    validity_backward: Tensor
    """1 where the backward flow is usable, (N, 1, h, w); a clip's first frame has none that is."""
    ends: Ends
    """Where the clips begin and end."""

    def reduced(self, stride: int) -> Motion:
        """Resize to 1 / stride, as the function `reduced` does."""
        flow_forward, validity_forward = reduced(self.flow_forward, self.validity_forward, stride)
        flow_backward, validity_backward = reduced(self.flow_backward, self.validity_backward, stride)
        return Motion(flow_forward, flow_backward, validity_forward, validity_backward, self.ends)


def reduced(flow: Tensor, validity: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Resize flow (N, 2, H, W) and validity (N, 1, H, W) to 1 / stride.

    Nearest: the block's upper left pixel, as the published network takes it; vectors are rescaled.
    """
    return flow[..., ::stride, ::stride] / stride, validity[..., ::stride, ::stride]


class MotionPyramid:
    """Motion at every resolution the network works at, each resized once, when it is first asked for."""

    def __init__(self, full: Motion) -> None:
        """Start from the motion at the frames' own size."""
        self._levels = {1: full}

    @classmethod
    def build(
        cls,
        flow_forward: Tensor,
        flow_backward: Tensor,
        validity_forward: Tensor,
        validity_backward: Tensor,
        clips: int = 1,
    ) -> MotionPyramid:
        """Build from the tensors of `Motion` at full size, of `clips` clips of equal length."""
        ends = ClipEnds.build(flow_forward.shape[0], clips, flow_forward.device)
        # The entries that point out of a clip are not looked at, whatever stands in them.
        validity_forward = validity_forward * ends.has_next.to(validity_forward.dtype)
        validity_backward = validity_backward * ends.has_previous.to(validity_backward.dtype)
        return cls(Motion(flow_forward, flow_backward, validity_forward, validity_backward, ends))

    def at(self, stride: int) -> Motion:
        """Return the motion at 1 / stride of the frames' size."""
        if stride not in self._levels:
            self._levels[stride] = self._levels[1].reduced(stride)
        return self._levels[stride]


def shift(x: Tensor, ends: ClipEnds, fold: int) -> Tensor:
    """Replace two folds of channels by the neighbouring frames' as they are: the temporal shift of TSM.

    Channels [0, fold) come from the next frame, [fold, 2 fold) from the previous one, the rest is the frame's own; a
    fold of a frame outside the clip is zero.

    Args:
        x: features, (N, C, h, w).
        ends: where the clips begin and end.
        fold: channels per direction, at most C / 2.

    Returns:
        Tensor: like x.
    """
    from_next = x[:, :fold].index_select(0, ends.following) * ends.has_next.to(x.dtype)
    from_previous = x[:, fold : 2 * fold].index_select(0, ends.preceding) * ends.has_previous.to(x.dtype)
    return torch.cat((from_next, from_previous, x[:, 2 * fold :]), dim=1)


def shift_and_align(
    x: Tensor, motion: Motion, fold: int, convention: WarpConvention | None, *, ahead: bool = True
) -> Tensor:
    """Replace two folds of channels by the neighbouring frames', brought to this frame along the flow.

    Channels [0, fold) come from the next frame, [fold, 2 fold) from the previous one, the rest is the frame's own.
    Where the flow is not usable, a fold keeps the frame's own values; a fold of a frame outside the clip is zero.

    Args:
        x: features of whole clips, (N, C, h, w).
        motion: at the same resolution; its ends are `ClipEnds`.
        fold: channels per direction, at most C / 2.
        convention: where the warp samples, see `flow_warp`; None takes the neighbours' channels unwarped.
        ahead: False takes both folds from the previous frame, for streams that do not wait.

    Returns:
        Tensor: like x.
    """
    ends = motion.ends
    assert isinstance(ends, ClipEnds)
    if not ahead:
        return align_past(x, x[:, : 2 * fold].index_select(0, ends.preceding), motion, convention)
    following = x[:, :fold].index_select(0, ends.following)
    preceding = x[:, fold : 2 * fold].index_select(0, ends.preceding)
    return align_folds(
        x, following, preceding, motion, convention, lambda nonzero: nonzero.index_select(0, ends.preceding)
    )


def align_folds(
    x: Tensor,
    following: Tensor,
    preceding: Tensor,
    motion: Motion,
    convention: WarpConvention | None,
    before: Callable[[Tensor], Tensor],
) -> Tensor:
    """Replace two folds of frames' channels by those of their neighbours, which are given.

    Args:
        x: the frames' own features, (N, C, h, w).
        following: the next frames' first fold, (N, fold, h, w); anything where there is none.
        preceding: the previous frames' second fold, likewise.
        motion: of these frames, at the same resolution.
        convention: see `shift_and_align`.
        before: gives, for the forward warps' `nonzero` of these frames, that of the frames before them.

    Returns:
        Tensor: like x.
    """
    fold = following.shape[1]
    own_next, own_previous, rest = x[:, :fold], x[:, fold : 2 * fold], x[:, 2 * fold :]
    has_next, has_previous = motion.ends.has_next.to(x.dtype), motion.ends.has_previous.to(x.dtype)
    if convention is None:
        return torch.cat((following * has_next, preceding * has_previous, rest), dim=1)
    # At a clip's ends no flow is valid, so that the fallback stands there: zero.
    # The published network has a slip that its weights were trained with: the backward warp is not tested for zeros
    # itself, but the forward warp of the frame before is in its place. The clean convention tests neither.
    tsam = convention == "tsam"
    from_next, nonzero = flow_warp(
        following, motion.flow_forward, motion.validity_forward, own_next * has_next, convention, require_nonzero=tsam
    )
    usable = motion.validity_backward
    if tsam:
        usable = usable * before(nonzero)
    from_previous, _ = flow_warp(preceding, motion.flow_backward, usable, own_previous * has_previous, convention)
    return torch.cat((from_next, from_previous, rest), dim=1)


def align_past(x: Tensor, preceding: Tensor, motion: Motion, convention: WarpConvention | None) -> Tensor:
    """Replace both folds by the previous frames', which are given: a layer that does not look ahead.

    The `tsam` convention's test for zeros belongs to the forward warp, which is not there: none is made.

    Args:
        x: the frames' own features, (N, C, h, w).
        preceding: the previous frames' two folds, (N, 2 fold, h, w); anything where there is no previous frame.
        motion: of these frames, at the same resolution.
        convention: see `shift_and_align`.

    Returns:
        Tensor: like x.
    """
    both = preceding.shape[1]
    has_previous = motion.ends.has_previous.to(x.dtype)
    if convention is None:
        return torch.cat((preceding * has_previous, x[:, both:]), dim=1)
    fallback = x[:, :both] * has_previous
    from_previous, _ = flow_warp(preceding, motion.flow_backward, motion.validity_backward, fallback, convention)
    return torch.cat((from_previous, x[:, both:]), dim=1)
