"""A generator's spec: what the runtime has to know of it."""

from __future__ import annotations

from ptfan.engine.spec import ModelSpec, Precision, WarpConvention
from ptfan.training.model import Generator

__all__ = ["WINDOWS", "generator_spec"]

WINDOWS: dict[WarpConvention, tuple[int, int]] = {"tsam": (15, 9), "pixel": (30, 24)}
"""Frames in a window and, of these, frames that are kept, unless the window is fixed. The published network keeps its
own; with three frames of margin on either side as well, a longer window computes a frame 1.25 times instead of 1.67, at
equal quality."""


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
        lookahead=config.frames_ahead,
        size_multiple=config.size_multiple,
        fixed_window=window,
        fixed_size=size,
        warp=config.convention,
        fill=config.fill,
        parameters=sum(parameter.numel() for parameter in generator.parameters()),
        weights_sha256=weights_sha256,
    )
