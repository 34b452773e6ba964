"""The generator: a clip with holes in, what belongs into the holes out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ptfan.engine.errors import ModelError
from ptfan.engine.spec import CLIP_CHANNELS
from ptfan.training.model.align import MotionPyramid
from ptfan.training.model.config import GeneratorConfig
from ptfan.training.model.decoder import LightDecoder, PaperDecoder, Parts
from ptfan.training.model.encoder import Encoder
from ptfan.training.model.timeline import ClipTimeline, Timeline

__all__ = ["Generator"]


class Generator(nn.Module):
    """Encoder and decoder with temporal shift-and-align, in clip form."""

    def __init__(self, config: GeneratorConfig) -> None:
        """Build from a config, freshly initialised."""
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = (PaperDecoder if config.decoder == "paper" else LightDecoder)(config)

    def forward(
        self,
        frames: Tensor,
        hole: Tensor,
        guidance: Tensor,
        flow_forward: Tensor,
        flow_backward: Tensor,
        validity_forward: Tensor,
        validity_backward: Tensor,
        *,
        clips: int = 1,
    ) -> Tensor:
        """Return what goes into the holes of `clips` clips of T frames, stacked: N = clips * T. Not composited.

        Entry t belongs to frame t. A clip's last forward and first backward entries are not looked at.

        Args:
            frames: (N, 3, H, W), RGB in [0, 1], the hole zero or filled as the config's `fill` says.
            hole: (N, 1, H, W), 1 in the hole, else 0.
            guidance: (N, 1, H, W): zeros, or with propagated colours their confidence in [0, 1], 1 on known pixels.
            flow_forward: t to t + 1, (N, 2, H, W), fp32, in pixels.
            flow_backward: t to t - 1, (N, 2, H, W), fp32, in pixels.
            validity_forward: 1 where the forward flow is usable, else 0, (N, 1, H, W).
            validity_backward: 1 where the backward flow is usable, else 0, (N, 1, H, W).
            clips: the number of clips. Nothing passes from one to another.

        Returns:
            Tensor: (N, 3, H, W), RGB, [0, 1] up to the network's own overshoot.

        Raises:
            ModelError: H or W is not a multiple of 8, N not of `clips`, or an input's shape does not fit the frames'.
        """
        motion = (flow_forward, flow_backward, validity_forward, validity_backward)
        return self.forward_parts(frames, hole, guidance, *motion, clips=clips).fill

    def forward_parts(
        self,
        frames: Tensor,
        hole: Tensor,
        guidance: Tensor,
        flow_forward: Tensor,
        flow_backward: Tensor,
        validity_forward: Tensor,
        validity_backward: Tensor,
        *,
        clips: int = 1,
    ) -> Parts:
        """Like `forward`, with the fill's parts beside it; see `LightDecoder` for why training needs them."""
        if not torch.compiler.is_compiling():  # an exported graph takes any size that its own dimensions allow
            self._check_size(frames, clips)
            _check_shapes(frames, hole, guidance, flow_forward, flow_backward, validity_forward, validity_backward)
        motion = MotionPyramid.build(flow_forward, flow_backward, validity_forward, validity_backward, clips)
        return self.on_timeline(frames, hole, guidance, ClipTimeline(motion, self.config.layers_ahead))

    def on_timeline(self, frames: Tensor, hole: Tensor, guidance: Tensor, time: Timeline) -> Parts:
        """Return the parts of the fill for frames whose neighbours a timeline knows; see `forward` for the others."""
        known = 1 - hole
        if self.config.fill == "zero":
            frames = frames * known
        features = self.encoder(torch.cat((frames, known, guidance), dim=1), time)
        parts: Parts = self.decoder(features, frames, time)
        return parts

    def _check_size(self, frames: Tensor, clips: int) -> None:
        if frames.ndim != 4:
            raise ModelError(f"frames have shape {tuple(frames.shape)}, expected (N, 3, H, W); stack the clips")
        count, _, height, width = frames.shape
        multiple = self.config.size_multiple
        if height % multiple or width % multiple or not height * width:
            raise ModelError(f"frames are {width}x{height}, expected multiples of {multiple}; pad them")
        if clips < 1 or count < clips or count % clips:
            raise ModelError(f"{count} frames are no {clips} clips of equal length; stack clips of one length")


def _check_shapes(frames: Tensor, *others: Tensor) -> None:
    """Check that every input has the frames' number and size, and its own channels; broadcasting would hide a slip."""
    count, _, height, width = frames.shape
    for (name, channels), value in zip(CLIP_CHANNELS.items(), (frames, *others), strict=True):
        expected = (count, channels, height, width)
        if value.shape != expected:
            raise ModelError(f"{name}: shape is {tuple(value.shape)}, expected {expected}")
