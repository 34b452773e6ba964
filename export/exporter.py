"""From a checkpoint to a model file that was compared with it."""

from __future__ import annotations

from pathlib import Path

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import InputError
from ptfan.engine.models import file_sha256
from ptfan.export.clip import clip_arrays
from ptfan.export.compare import compare
from ptfan.export.exported import Exported
from ptfan.export.flow_graph import export_completer
from ptfan.export.graph import clip_graph
from ptfan.export.metadata import model_spec, write_spec
from ptfan.export.precision import store_weights
from ptfan.export.settings import ExportSettings
from ptfan.training.checkpoint import build, holds_completer

__all__ = ["export_checkpoint"]


def export_checkpoint(
    checkpoint: Path, output: Path, settings: ExportSettings | None = None, *, overwrite: bool = False
) -> Exported:
    """Export a checkpoint to ONNX; the file appears once the graph has been compared with torch.

    A generator is compared on a real clip, a flow completion network on random flow; the checkpoint tells which it is.

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
    check_target(output, overwrite=overwrite)
    if holds_completer(checkpoint):
        _refuse_for_flow(checkpoint, settings)
        return export_completer(checkpoint, output, weights=settings.weights, overwrite=overwrite)
    return _export_generator(checkpoint, output, settings, overwrite=overwrite)


def _refuse_for_flow(checkpoint: Path, settings: ExportSettings) -> None:
    changed = settings.changed(but=("weights",))
    if changed:
        raise InputError(
            f"{checkpoint}: is a flow completion network, whose graph is fp32 and takes any size and length; "
            f"leave out {', '.join(f'--{name}' for name in changed)}"
        )


def _export_generator(checkpoint: Path, output: Path, settings: ExportSettings, *, overwrite: bool) -> Exported:
    generator = build(checkpoint)
    spec = model_spec(
        generator,
        settings.precision,
        settings.dimensions,
        name=settings.name,
        stride=settings.stride,
        weights_sha256=file_sha256(checkpoint),
    )
    inputs = clip_arrays(spec, *_clip_and_mask(settings))
    model = clip_graph(generator, settings.precision, settings.dimensions)
    store_weights(model, settings.weights)
    write_spec(model, spec)
    comparison = compare(generator, model, inputs)
    comparison.check(exact=settings.exact)
    content = model.SerializeToString()
    write_atomically(output, content, overwrite=overwrite)
    frames, _, height, width = inputs["frames"].shape
    return Exported(spec, comparison, (frames, height, width), len(content))


def _clip_and_mask(settings: ExportSettings) -> tuple[Path, Path | None]:
    if settings.clip is None:
        return DEMO_CLIP, settings.mask or DEMO_MASK
    return settings.clip, settings.mask
