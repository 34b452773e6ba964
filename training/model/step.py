"""The step form: one frame in, one frame out, and what is handed on to later steps.

The network is evaluated askew. When frame n comes, a layer that looks ahead and is the k-th on its path works on frame
n - k: the frame after that has just reached it. Every layer works on every frame once, so that the answer is the
endless clip's, at a cost that depends neither on its length nor on the delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ptfan.engine.spec import Precision, StateSpec, WarpConvention
from ptfan.training.model.align import Ends, Motion, align_folds, align_past, reduced
from ptfan.training.model.generator import Generator
from ptfan.training.model.timeline import Aligned, Place, Timeline

__all__ = ["StepGenerator", "StepMotion", "StepTimeline"]

PROBE = 32
"""Sides of the frame that the step is tried on, to learn what it carries."""


class StepGenerator(nn.Module):
    """A generator in step form, for B streams at once."""

    def __init__(self, generator: Generator) -> None:
        """Take a generator in evaluation mode; its weights are shared, not copied."""
        super().__init__()
        self.generator = generator
        probe = _Recorder()
        with torch.no_grad():
            self._step(*_probe_inputs(generator), probe)
        self.carried = probe.carried()
        """What a step hands on, in the order in which `forward` takes and returns it."""

    @property
    def lookahead(self) -> int:
        """Steps between a frame and its answer."""
        return self.generator.config.layers_ahead

    def forward(
        self,
        frames: Tensor,
        hole: Tensor,
        guidance: Tensor,
        flow_forward: Tensor,
        flow_backward: Tensor,
        validity_forward: Tensor,
        validity_backward: Tensor,
        live: Tensor,
        *past: Tensor,
    ) -> tuple[Tensor, ...]:
        """Take the next frame of each stream.

        Args:
            frames: (B, 3, H, W), as the clip form's.
            hole: (B, 1, H, W).
            guidance: (B, 1, H, W).
            flow_forward: from the frame before to this one, on the frame before, (B, 2, H, W), fp32, in pixels.
            flow_backward: from this frame to the one before, (B, 2, H, W), fp32, in pixels.
            validity_forward: (B, 1, H, W), of `flow_forward`.
            validity_backward: (B, 1, H, W), of `flow_backward`.
            live: (B, lookahead + 2), fp32: 1 if the frame d steps ago is one of the stream's, else 0.
            past: for every one of `carried`, and each of its delays, what was returned so many steps ago.

        Returns:
            What goes into the hole of the frame `lookahead` steps ago, (B, 3, H, W), and the values of `carried`.
        """
        keys = [(item.name, delay) for item in self.carried for delay in item.delays]
        memory = _Memory(dict(zip(keys, past, strict=True)))
        motion = StepMotion(flow_forward, flow_backward, validity_forward, validity_backward)
        fill = self._step(frames, hole, guidance, motion, live, memory)
        return (fill, *(memory.written[item.name] for item in self.carried))

    def _step(
        self, frames: Tensor, hole: Tensor, guidance: Tensor, motion: StepMotion, live: Tensor, memory: _Memory
    ) -> Tensor:
        time = StepTimeline(self.lookahead, motion, live, memory)
        return self.generator.on_timeline(frames, hole, guidance, time).fill


class StepMotion(NamedTuple):
    """The motion that a step brings, at the frames' size."""

    flow_forward: Tensor
    """From the frame before to the newest, (B, 2, H, W)."""
    flow_backward: Tensor
    """From the newest frame to the one before, (B, 2, H, W)."""
    validity_forward: Tensor
    """(B, 1, H, W)."""
    validity_backward: Tensor
    """(B, 1, H, W)."""


class _Memory:
    """What earlier steps have written, and what this one writes."""

    def __init__(self, past: Mapping[tuple[str, int], Tensor]) -> None:
        """Take what was written, by name and by how many steps ago."""
        self._past = past
        self.written: dict[str, Tensor] = {}

    def write(self, name: str, value: Tensor) -> None:
        """Hand a value on."""
        self.written[name] = value

    def read(self, name: str, delay: int) -> Tensor:
        """Return what was written `delay` steps ago; what this step has written, for 0."""
        return self._past[name, delay] if delay else self.written[name]


class _Recorder(_Memory):
    """Stands for the memory once, to learn what is written and when it is read."""

    def __init__(self) -> None:
        super().__init__({})
        self._delays: dict[str, set[int]] = {}

    def read(self, name: str, delay: int) -> Tensor:
        self._delays.setdefault(name, set()).add(delay)
        return self.written[name]

    def carried(self) -> tuple[StateSpec, ...]:
        """Return what later steps read."""
        delays = {name: tuple(sorted(found - {0})) for name, found in self._delays.items()}
        return tuple(self._described(name, found) for name, found in delays.items() if found)

    def _described(self, name: str, delays: tuple[int, ...]) -> StateSpec:
        _, channels, height, _ = self.written[name].shape
        precision: Precision = "fp16" if self.written[name].dtype == torch.float16 else "fp32"
        return StateSpec(name=name, channels=channels, size=PROBE // height, delays=delays, precision=precision)


class StepTimeline(Timeline):
    """A frame at a time: what is not there yet is waited for, what has passed is remembered."""

    def __init__(self, lookahead: int, motion: StepMotion, live: Tensor, memory: _Memory) -> None:
        """Take what a step brings; see `StepGenerator.forward`."""
        super().__init__(lookahead)
        self._motion, self._live, self._memory = motion, live, memory
        self._count = 0

    def align(self, x: Tensor, place: Place, fold: int, convention: WarpConvention | None) -> Aligned:
        """Shift and align the frame before the one that has just come, or that one itself without looking ahead."""
        delay = self._delay(place.depth)
        if place.depth > self.lookahead:
            preceding = self._earlier("past", x[:, : 2 * fold], 1)
            return Aligned(x, align_past(x, preceding, self._motion_at(place.size, delay), convention))
        own = self._earlier("own", x, 1)
        preceding = self._earlier("fold", own[:, fold : 2 * fold], 1)
        motion = self._motion_at(place.size, delay)
        shifted = align_folds(own, x[:, :fold], preceding, motion, convention, lambda y: self._earlier("nonzero", y, 1))
        return Aligned(own, shifted)

    def wait(self, x: Tensor, *, since: int, until: int) -> Tensor:
        """Return x as it was when the frames of `until` passed."""
        return self._earlier("wait", x, self._delay(until) - self._delay(since))

    def _delay(self, depth: int) -> int:
        """Return how many steps ago the frame came that now leaves the layer of this depth."""
        return min(depth, self.lookahead)

    def _earlier(self, what: str, value: Tensor, delay: int) -> Tensor:
        """Hand a value on, and return the one of `delay` steps ago."""
        if delay == 0:
            return value
        self._count += 1
        name = f"{what}_{self._count}"
        self._memory.write(name, value)
        return self._memory.read(name, delay)

    def _motion_at(self, size: int, delay: int) -> Motion:
        """Return the motion of the frame of `delay` steps ago at 1 / size, with both its neighbours' liveness."""
        forward, backward = f"forward_{size}", f"backward_{size}"
        if forward not in self._memory.written:
            motion = self._motion
            self._memory.write(forward, _packed(motion.flow_forward, motion.validity_forward, size))
            self._memory.write(backward, _packed(motion.flow_backward, motion.validity_backward, size))
        # A forward flow comes with the frame that it leads to: one step later than the frame that it lives on.
        ahead = self._memory.read(forward, max(0, delay - 1))
        back = self._memory.read(backward, delay)
        ends = Ends(self._alive(max(0, delay - 1)), self._alive(delay + 1))
        return Motion(ahead[:, :2], back[:, :2], ahead[:, 2:] * ends.has_next, back[:, 2:] * ends.has_previous, ends)

    def _alive(self, delay: int) -> Tensor:
        return self._live[:, delay].reshape(-1, 1, 1, 1) > 0.5


def _packed(flow: Tensor, validity: Tensor, size: int) -> Tensor:
    """Return flow and validity at 1 / size as one tensor, (B, 3, H / size, W / size), fp32."""
    flow, validity = reduced(flow, validity, size)
    return torch.cat((flow, validity.to(flow.dtype)), dim=1)


def _probe_inputs(generator: Generator) -> tuple[Tensor, Tensor, Tensor, StepMotion, Tensor]:
    """Return a frame of zeros: images, hole, guidance, motion and liveness."""
    parameter = next(generator.parameters())
    frame = parameter.new_zeros(1, 1, PROBE, PROBE)
    flow = torch.zeros(1, 2, PROBE, PROBE, device=parameter.device)
    live = torch.zeros(1, generator.config.layers_ahead + 2, device=parameter.device)
    return frame.expand(-1, 3, -1, -1), frame, frame, StepMotion(flow, flow, frame, frame), live
