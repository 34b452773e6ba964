"""From an ONNX file in fp32 to one for CPUs whose convolutions multiply bytes, compared with the first."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import onnx

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.errors import ModelError, ToleranceError
from ptfan.engine.inpainter import InpaintSettings
from ptfan.engine.models import find_model
from ptfan.engine.onnx_file import read_spec
from ptfan.engine.progress import NoProgress, Progress
from ptfan.engine.verify.run import VerifySettings, verify
from ptfan.engine.verify.verification import Verification
from ptfan.export.int8.calibration import CalibrationSettings, calibration_calls
from ptfan.export.int8.convolutions import with_int8_convolutions
from ptfan.export.metadata import write_spec

__all__ = ["quantize_model"]


def quantize_model(
    model: str | Path,
    output: Path,
    settings: CalibrationSettings,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Write a model's int8 file; it appears once it has been compared with the model on the demo's clip.

    Args:
        model: name of a model that comes with the package, or an ONNX file; fp32.
        output: the ONNX file.
        settings: on what its values' ranges are measured.
        overwrite: replace an output that exists.
        progress: is told of every clip.

    Returns:
        How far the two are from each other.

    Raises:
        InputError: the model, the data or a setting cannot be used.
        OutputError: the output exists, or cannot be written.
        ToleranceError: less than 45 dB in the hole is kept; nothing is written.
    """
    check_target(output, overwrite=overwrite)
    path = find_model(model)
    spec = read_spec(path)
    if spec.form == "flow" or spec.numbers != "fp32":
        raise ModelError(f"model {model}: is {spec.numbers} and of the {spec.form} form; expected fp32, step or clip")
    progress = progress or NoProgress()
    calls = calibration_calls(path, settings, progress)
    result = with_int8_convolutions(onnx.load(path), calls)
    write_spec(result, replace(spec, convolutions="int8"))
    content = result.SerializeToString()
    found = _compared(content, path, output, settings.threads)
    write_atomically(output, content, overwrite=overwrite)
    return found


def _compared(content: bytes, reference: Path, output: Path, threads: int) -> Verification:
    """Compare the new file with the one that it was made from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / output.name
        path.write_bytes(content)
        settings = VerifySettings(
            inpaint=InpaintSettings(backend="onnxruntime", threads=threads), against_backend="onnxruntime"
        )
        found = verify(path, reference, settings)
    if not found.passed:
        raise ToleranceError(
            f"{output}: keeps {found.hole.psnr:.1f} dB in the hole of the demo's clip, expected {found.least_psnr:g}; "
            "nothing was written; try other clips"
        )
    return found
