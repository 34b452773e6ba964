"""From a checkpoint to a model file that was compared with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import InputError
from ptfan.engine.models import file_sha256
from ptfan.engine.roles import Role, check_apart
from ptfan.engine.runners.runner import Arrays
from ptfan.engine.spec import StateSpec
from ptfan.export.clip import clip_arrays
from ptfan.export.compare import compare, loaded
from ptfan.export.exported import Exported
from ptfan.export.graph import clip_graph, step_graph
from ptfan.export.helper_graph import export_helper
from ptfan.export.metadata import model_spec, write_spec
from ptfan.export.precision import store_weights
from ptfan.export.settings import ExportSettings
from ptfan.training.checkpoint import build, holds_helper
from ptfan.training.model import Generator

__all__ = ["export_checkpoint"]


def export_checkpoint(
    checkpoint: Path, output: Path, settings: ExportSettings | None = None, *, overwrite: bool = False
) -> Exported:
    """Export a checkpoint to ONNX; the file appears once the graph has been compared with torch.

    A generator is compared on a real clip, a helper network on random values; the checkpoint
    tells which it is.

    Args:
        checkpoint: what training or the import wrote (.safetensors).
        output: the ONNX file.
        settings: what to make of it.
        overwrite: replace an output that exists.

    Raises:
        InputNotFoundError: the checkpoint, the clip or the mask is not there.
        InputError: one of them cannot be used, or an option is out of range.
        OutputError: the output exists, or cannot be written.
        ToleranceError: ONNX Runtime and torch differ too much; nothing is written.
    """
    settings = settings or ExportSettings()
    read = [Role("checkpoint", checkpoint), Role("clip", settings.clip), Role("mask", settings.mask)]
    check_apart([Role("output", output)], read)
    check_target(output, overwrite=overwrite)
    if holds_helper(checkpoint):
        _refuse_for_helper(checkpoint, settings)
        return export_helper(checkpoint, output, weights=settings.weights, overwrite=overwrite)
    return _export_generator(checkpoint, output, settings, overwrite=overwrite)


def _refuse_for_helper(checkpoint: Path, settings: ExportSettings) -> None:
    changed = settings.changed(but=("weights",))
    if changed:
        raise InputError(
            f"{checkpoint}: is a helper network; its graph is fp32 and takes any size and length; "
            f"leave out {', '.join(f'--{name}' for name in changed)}"
        )


def _export_generator(checkpoint: Path, output: Path, settings: ExportSettings, *, overwrite: bool) -> Exported:
    generator, digest = build(checkpoint), file_sha256(checkpoint)
    inputs = _clip(generator, settings)
    carried: tuple[StateSpec, ...] = ()
    if settings.form == "step":
        model, carried = step_graph(generator, settings.precision, settings.dimensions)
    else:
        model = clip_graph(generator, settings.precision, settings.dimensions)
    spec = model_spec(generator, settings, carried=carried, weights_sha256=digest)
    store_weights(model, settings.weights)
    write_spec(model, spec)
    content = model.SerializeToString()
    with loaded(content) as runner:
        comparison = compare(generator, runner, inputs)
    comparison.check(exact=settings.exact)
    write_atomically(output, content, overwrite=overwrite)
    frames, _, height, width = inputs["frames"].shape
    return Exported(spec, comparison, (frames, height, width), len(content))


def _clip(generator: Generator, settings: ExportSettings) -> Arrays:
    """Return the clip to compare on: a whole window, whatever the form takes at once."""
    if settings.form == "step":
        settings = replace(settings, form="clip", dimensions=replace(settings.dimensions, frames=None))
    return clip_arrays(model_spec(generator, settings), *_clip_and_mask(settings))


def _clip_and_mask(settings: ExportSettings) -> tuple[Path, Path | None]:
    if settings.clip is None:
        return DEMO_CLIP, settings.mask or DEMO_MASK
    return settings.clip, settings.mask
