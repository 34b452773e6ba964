"""What a model file says of itself: the contract between training, export and the runtime.

A `ModelSpec` is stored as JSON under the key `ptfan.spec` in an ONNX file's metadata and beside a TensorRT plan. The
runtime reads it and never guesses from shapes.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

from ptfan.engine.checks import check_choice
from ptfan.engine.errors import ModelError
from ptfan.engine.typed_json import from_text

__all__ = [
    "CLIP_CHANNELS",
    "CLIP_INPUTS",
    "FLOW_WARP",
    "FLOW_WARP_DOMAIN",
    "LEAST_PSNR",
    "METADATA_KEY",
    "SAMPLE_BYTES",
    "SPEC_VERSION",
    "STEP_INPUTS",
    "CompletionName",
    "Convolutions",
    "Fill",
    "Form",
    "ModelSpec",
    "Precision",
    "StateSpec",
    "WarpConvention",
]

METADATA_KEY = "ptfan.spec"
SPEC_VERSION = 1
MOST = 1 << 16
"""The largest whole number that a spec may hold, but for the number of parameters."""
LEAST_PSNR = 45.0
"""dB by which a model that computes with other numbers than its reference must agree with it."""

Form = Literal["clip", "step", "flow", "colour", "text"]
Precision = Literal["fp32", "fp16"]
Convolutions = Literal["float", "int8"]
SAMPLE_BYTES: dict[Precision, int] = {"fp32": 4, "fp16": 2}
WarpConvention = Literal["pixel", "tsam"]
Fill = Literal["zero", "propagated"]
CompletionName = Literal["learned", "smooth"]
"""What decides on flow or colours inside holes: a network that comes with the package, or their surroundings alone."""

CLIP_CHANNELS = {
    "frames": 3,
    "hole": 1,
    "guidance": 1,
    "flow_forward": 2,
    "flow_backward": 2,
    "validity_forward": 1,
    "validity_backward": 1,
}
"""The clip graph's inputs, in the order of the generator's arguments, and their channels."""
CLIP_INPUTS = tuple(CLIP_CHANNELS)
"""The names alone."""
STEP_INPUTS = (*CLIP_INPUTS, "live")
"""The step graph's inputs, without what is carried from step to step."""
FLOW_WARP, FLOW_WARP_DOMAIN = "FlowWarp", "ai.ptfan"
"""The op that warps along the flow, and its domain in ONNX: TensorRT's plugin of that name, and its namespace."""


@dataclass(frozen=True, kw_only=True)
class StateSpec:
    """A value that a step graph hands on to its later steps: an output that is an input again some steps later.

    The graph writes the output `name` at every step, and reads it as the inputs `inputs`, one for each delay. Before a
    stream's first frame it may hold anything finite: whether it counts, the graph learns from `live`.
    """

    name: str
    """The output."""
    channels: int
    """Its shape is (B, channels, H / size, W / size)."""
    size: int
    """It is at 1 / size of the frames' size."""
    delays: tuple[int, ...]
    """How many steps later it is read; 1 is the next one. Longer ones only wait, and need not be copied."""
    precision: Precision = "fp32"
    """Its type: flow is fp32, features are of the model's precision."""

    def __post_init__(self) -> None:
        check_choice("model spec: precision", self.precision, Precision, ModelError)
        _whole("channels", self.channels)
        _whole("size", self.size)
        _whole("number of delays", len(self.delays))
        for delay in self.delays:
            _whole("delay", delay)

    @property
    def inputs(self) -> dict[int, str]:
        """The inputs that it is read as, by delay."""
        return {delay: f"{self.name}.{delay}" for delay in self.delays}

    def shape(self, streams: int, height: int, width: int) -> tuple[int, int, int, int]:
        """Return the shape of one step's value, at a frame size in pixels."""
        return streams, self.channels, height // self.size, width // self.size

    def bytes(self, width: int, height: int) -> int:
        """Return the bytes of one step's value for one stream, at a frame size in pixels."""
        return math.prod(self.shape(1, height, width)) * SAMPLE_BYTES[self.precision]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """How a model wants to be fed, and what it gives back.

    The clip graph's inputs, T frames at H x W: `frames` (T, 3, H, W) in [0, 1] with the hole filled as `fill` says;
    `hole` (T, 1, H, W), 1 in the hole; `guidance` (T, 1, H, W) in [0, 1]; `flow_forward` and `flow_backward`
    (T, 2, H, W), fp32, in pixels of H x W; `validity_forward` and `validity_backward` (T, 1, H, W), 1 where usable.
    Entry t belongs to frame t. The output `fill` (T, 3, H, W) is not composited.

    The step graph takes one frame of each of B streams under the same names, but for the forward flow and its validity,
    which are the frame before's (from n - 1 to n, when frame n comes). It also takes `live` (B, lookahead + 2), fp32:
    entry d is 1 if the frame d steps ago is one of the stream that the slot carries now, else 0 (the newest may be
    none: so a stream is flushed); and `carried`, as described there. Its `fill` (B, 3, H, W) is of the frame
    `lookahead` steps ago.
    """

    name: str
    """The model's name, as `--model` takes it."""
    form: Form = "clip"
    """`clip`: a window of frames in, as many out. `step`: one frame in, one out. `flow`: a window's flow in, completed
    in the holes, see `ptfan.engine.prepare.flow_completion`. `colour`: pictures in, completed likewise, see
    `ptfan.engine.prepare.colour_completion`. `text`: a part of a frame and of the one before in, where text is out, see
    `ptfan.engine.masks.text_finder`."""
    precision: Precision = "fp32"
    """The type of the features, and of every floating input but the flows, which stay fp32."""
    convolutions: Convolutions = "float"
    """What convolutions multiply: numbers of `precision`, or integers of eight bits, for CPUs. All that is between them
    and comes in or goes out is of `precision` in either case."""
    window: int
    """Frames in a window (T) that the model was made for; any T >= 1 runs unless `fixed_window`."""
    stride: int
    """Frames between the starts of two windows; of each, `stride` frames are kept, the middle ones as a rule."""
    lookahead: int
    """Temporal layers on the deepest path that read the next frame: the delay of the step form, in frames."""
    size_multiple: int = 8
    """H and W must be multiples of this; the runtime pads."""
    frames_ahead: int | None = None
    """Frames at a window's end that are not kept; None takes half of what is not kept."""
    lead: int | None = None
    """Frames of a window before its kept ones that a crop which stays is shown again; None shows all of them."""
    fixed_window: int | None = None
    """The only T that the graph takes, or None if any."""
    fixed_streams: int | None = None
    """The only B that a step graph takes, or None if any."""
    fixed_size: tuple[int, int] | None = None
    """The only (width, height) that the graph takes, or None if any."""
    smallest_size: tuple[int, int] | None = None
    """The least width and height that are taken, or None if any: a TensorRT plan is built for a range of them."""
    largest_size: tuple[int, int] | None = None
    """Likewise, the most."""
    warp: WarpConvention = "pixel"
    """Where a warp samples; see `FlowWarp`."""
    fill: Fill = "zero"
    """What stands in the hole of `frames`: `zero`, or the known pixels `propagated` along the flow."""
    working_size: tuple[int, int] = (432, 240)
    """The (width, height) that the model was trained for, in pixels."""
    parameters: int = 0
    """The number of learned parameters."""
    flop_per_pixel: float = 0.0
    """Floating-point operations (a multiply-add is two) for one frame, by pixel of the frame; 0 if nobody counted."""
    weights_sha256: str = ""
    """The hash of the checkpoint that the weights were read from."""
    carried: tuple[StateSpec, ...] = ()
    """What a step graph hands on to its later steps."""
    version: int = SPEC_VERSION
    """The version of this very format."""

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            check_choice(f"model spec: {name}", getattr(self, name), choices, ModelError)
        if self.version != SPEC_VERSION:
            raise ModelError(
                f"model spec: version {self.version}, this ptfan reads version {SPEC_VERSION}; export the model again"
            )
        if not self.name.isprintable():
            raise ModelError(f"model spec: name is {self.name!r}, expected a name that can be shown")
        self._check_numbers()
        self._check_sizes()
        if bool(self.carried) != (self.form == "step"):
            what = "nothing is carried" if self.form == "step" else "something is carried"
            raise ModelError(f"model spec: form is {self.form}, but {what} from step to step; export the model again")

    def _check_numbers(self) -> None:
        """Check the counts of frames and streams."""
        for name in ("window", "stride", "size_multiple"):
            _whole(name, getattr(self, name))
        _whole("lookahead", self.lookahead, 0)
        for name in ("lead", "fixed_window", "fixed_streams"):
            if (value := getattr(self, name)) is not None:
                _whole(name, value)
        if not self.stride <= self.window:
            raise ModelError(f"model spec: stride is {self.stride}, expected 1 to window ({self.window})")
        if not 0 <= self.ahead <= self.window - self.stride:
            raise ModelError(
                f"model spec: frames_ahead is {self.ahead}, expected 0 to window - stride ({self.window - self.stride})"
            )

    def _check_sizes(self) -> None:
        """Check widths and heights."""
        for name in ("working_size", "fixed_size", "smallest_size", "largest_size"):
            for side in getattr(self, name) or ():
                _whole(f"a side of {name}", side)
        if any(side % self.size_multiple for side in self.fixed_size or ()):
            raise ModelError(f"model spec: fixed_size is {self.fixed_size}, expected multiples of {self.size_multiple}")

    @property
    def ahead(self) -> int:
        """Frames at a window's end that are not kept: how far flow and propagated colours look ahead at least."""
        return (self.window - self.stride) // 2 if self.frames_ahead is None else self.frames_ahead

    @property
    def helps(self) -> bool:
        """Whether it is a helper of the models that fill holes, on the CPU, and fills none itself."""
        return self.form in ("flow", "colour", "text")

    @property
    def delay(self) -> int:
        """The most frames that must have come after a frame before it is finished."""
        steps = self.lookahead if self.form == "step" else 0
        first = self.window - 1 if self.frames_ahead is None else 0  # a stream's first window is a whole one then
        return max(first, self.stride - 1 + self.ahead + steps)

    @property
    def numbers(self) -> str:
        """What it computes with, for people to read."""
        return self.precision if self.convolutions == "float" else self.convolutions

    def check_form(self, *expected: Form) -> None:
        """Check that the model is of one of these forms.

        Raises:
            ModelError: it is of another one.
        """
        if self.form not in expected:
            raise ModelError(f"model {self.name} is of the {self.form} form, expected {' or '.join(expected)}")

    def input_shapes(self, frames: int, width: int, height: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the graph's inputs, of the clip and the step form.

        Args:
            frames: T of the clip form, B of the step form.
            width: of the frames, pixels.
            height: likewise.
        """
        shapes: dict[str, tuple[int, ...]] = {
            name: (frames, channels, height, width) for name, channels in CLIP_CHANNELS.items()
        }
        if self.form == "step":
            shapes["live"] = (frames, self.lookahead + 2)
        for item in self.carried:
            shapes.update(dict.fromkeys(item.inputs.values(), item.shape(frames, height, width)))
        return shapes

    def output_shapes(self, frames: int, width: int, height: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the graph's outputs; see `input_shapes`."""
        carried = {item.name: item.shape(frames, height, width) for item in self.carried}
        return {"fill": (frames, 3, height, width), **carried}

    def ring_length(self, state: StateSpec) -> int:
        """Return how many values of one of `carried` are kept: what was written last, and what is still to be read.

        Whatever waits is kept as long as what waits the longest, so that all come round together: a GPU that has
        recorded as many steps knows all addresses that there are.
        """
        longest = max(delay for other in self.carried for delay in other.delays)
        return 2 if state.delays == (1,) else 2 * (longest // 2 + 1)

    def to_json(self) -> str:
        """Return the spec as one JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Read a spec that `to_json` wrote.

        Raises:
            ModelError: the text is not JSON, or a field is missing, unknown, of a wrong type or out of range.
        """
        return from_text(
            cls, text, "model spec", raised=ModelError, advice="; export the model again, or take a newer ptfan"
        )


_CHOICES = {
    "form": Form,
    "precision": Precision,
    "convolutions": Convolutions,
    "warp": WarpConvention,
    "fill": Fill,
}
"""The fields of `ModelSpec` that take a few names alone."""


def _whole(field: str, value: object, least: int = 1) -> None:
    """Check a number: what is far beyond any model would take all memory before it failed."""
    if not (isinstance(value, int) and least <= value <= MOST):
        raise ModelError(f"model spec: {field} is {value!r}, expected a whole number from {least} to {MOST}")
