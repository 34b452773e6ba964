"""A generator's spec: what the runtime has to know of it."""

from __future__ import annotations

from dataclasses import replace

from ptfan.engine.spec import ModelSpec, Precision, StateSpec, WarpConvention
from ptfan.training.flop import flop_per_pixel
from ptfan.training.model import Generator

__all__ = ["WINDOWS", "generator_spec", "step_spec"]

WINDOWS: dict[WarpConvention, tuple[int, int]] = {"tsam": (15, 9), "pixel": (30, 24)}
"""Frames in a window and, of these, frames that are kept, unless the window is fixed. The published network keeps its
own; with three frames of margin on either side as well, a longer window computes a frame 1.25 times instead of 1.67, at
equal quality."""

HISTORY = 12
"""Frames before the newest that a new crop of a stream which does not wait is shown."""


def generator_spec(
    generator: Generator,
    *,
    precision: Precision = "fp32",
    window: int | None = None,
    size: tuple[int, int] | None = None,
    name: str | None = None,
    stride: int | None = None,
    weights_sha256: str = "",
) -> ModelSpec:
    """Describe a generator in clip form.

    Args:
        generator: what is described.
        precision: of features and inputs.
        window: the only T that is taken; None takes any.
        size: the only (width, height) that is taken, pixels; None takes any.
        name: the model's name; the config's own by default.
        stride: frames kept of a window; the usual share of it by default, see `WINDOWS`.
        weights_sha256: the checkpoint's hash.

    Raises:
        ModelError: the stride does not fit the window.
    """
    config = generator.config
    usual, kept = WINDOWS[config.convention]
    frames = window or usual
    return ModelSpec(
        name=name or config.name,
        precision=precision,
        window=frames,
        stride=max(1, round(frames * kept / usual)) if stride is None else stride,
        lookahead=config.layers_ahead,
        size_multiple=config.size_multiple,
        fixed_window=window,
        fixed_size=size,
        warp=config.convention,
        fill=config.fill,
        parameters=sum(parameter.numel() for parameter in generator.parameters()),
        flop_per_pixel=flop_per_pixel(generator),
        weights_sha256=weights_sha256,
    )


def step_spec(
    generator: Generator,
    carried: tuple[StateSpec, ...],
    *,
    precision: Precision = "fp32",
    streams: int | None = None,
    size: tuple[int, int] | None = None,
    name: str | None = None,
    stride: int | None = None,
    weights_sha256: str = "",
) -> ModelSpec:
    """Describe a generator in step form; its windows are those that flow and propagated colours are made in.

    A network that was told how far to look ahead gets these from no further ahead, and from windows that move by one
    frame, so that nothing waits longer. Each then looks at the frame before once more; those before that are there for
    crops that are new.

    Args:
        generator: what is described.
        carried: what its step graph hands on.
        streams: the only number of streams that is taken; None takes any.
        precision: see `generator_spec` for it and the others.
        size: likewise.
        name: likewise.
        stride: likewise.
        weights_sha256: likewise.

    Raises:
        ModelError: the stride does not fit the window.
    """
    clip = generator_spec(
        generator, precision=precision, size=size, name=name, stride=stride, weights_sha256=weights_sha256
    )
    spec = replace(clip, form="step", carried=carried, fixed_streams=streams)
    if generator.config.lookahead is None:
        return spec
    ahead = min(clip.lookahead, clip.ahead)
    return replace(spec, window=HISTORY + 1 + ahead, stride=1, frames_ahead=ahead, lead=1)
