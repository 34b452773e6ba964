"""From an ONNX file in fp32 to one for CPUs whose convolutions multiply bytes, compared with the first."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from ptfan.engine.atomic import check_target, write_atomically
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import ModelError, ToleranceError
from ptfan.engine.inpainter import InpaintSettings
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import open_source
from ptfan.engine.models import find_model
from ptfan.engine.prepare.flow_completion import REDUCTION
from ptfan.engine.progress import Progress
from ptfan.engine.roles import Role, check_apart
from ptfan.engine.runners.onnx_file import check_whole, read_spec
from ptfan.engine.runners.ort.ort_runner import OrtRunner
from ptfan.engine.spec import LEAST_PSNR, Form, ModelSpec
from ptfan.engine.verify.run import VerifySettings, verify
from ptfan.export.int8.calibration import CalibrationSettings, Listener, calibration_calls, calls_of
from ptfan.export.int8.convolutions import with_int8_convolutions
from ptfan.export.metadata import write_spec

__all__ = ["quantize_model"]

MOST_OFF = 0.25
"""Pixels by which completed flow may be off in the mean: a fifth of what the network itself is off by."""


def quantize_model(
    model: str | Path,
    output: Path,
    settings: CalibrationSettings,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> str:
    """Write a model's int8 file; it appears once it has been compared with the model on the demo's clip.

    Args:
        model: name of a model that comes with the package, or an ONNX file; fp32.
        output: the ONNX file.
        settings: on what its values' ranges are measured.
        overwrite: replace an output that exists.
        progress: is told of every clip.

    Returns:
        How far the two are from each other, for people to read.

    Raises:
        InputError: the model, the data or a setting cannot be used.
        OutputError: the output exists, or cannot be written.
        ToleranceError: less than 45 dB in the hole is kept, by a model or by what completes colours, or completed flow
            is off by more than a quarter of a pixel in the mean; nothing is written.
    """
    path = find_model(model)
    read = [Role("model", path), Role("data", settings.data), Role("list", settings.clips)]
    check_apart([Role("output", output)], read)
    check_target(output, overwrite=overwrite)
    spec = read_spec(path)
    check_whole(path)
    if spec.form == "text":
        raise ModelError(f"model {model}: finds text, which takes little time; expected a model that fills holes")
    if spec.numbers != "fp32":
        raise ModelError(f"model {model}: is {spec.numbers}; expected fp32")
    calls = calibration_calls(path, settings, progress)
    result = with_int8_convolutions(onnx.load(path), calls, of_flow=spec.form == "flow")
    write_spec(result, replace(spec, convolutions="int8"))
    content = result.SerializeToString()
    found = _compared(content, path, output, spec, settings.threads)
    write_atomically(output, content, overwrite=overwrite)
    return found


def _compared(content: bytes, reference: Path, output: Path, spec: ModelSpec, threads: int) -> str:
    """Compare the new file with the one that it was made from; return how near they are, for people to read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / output.name
        path.write_bytes(content)
        if spec.helps:
            return _compared_completion(path, reference, spec.form, threads)
        return _compared_fill(path, reference, threads)


def _compared_fill(path: Path, reference: Path, threads: int) -> str:
    inpaint = InpaintSettings(backend="onnxruntime", threads=threads)
    found = verify(path, reference, VerifySettings(inpaint=inpaint, against_backend="onnxruntime"))
    if not found.passed:
        raise ToleranceError(
            f"{path.name}: keeps {found.hole.psnr:.1f} dB in the hole of the demo's clip, expected "
            f"{found.least_psnr:g}; nothing was written; try other clips"
        )
    return found.table


def _compared_completion(path: Path, reference: Path, form: Form, threads: int) -> str:
    """Compare the answers to the calls that the demo's clip leads to, in its hole."""
    with open_source(DEMO_CLIP) as source, open_mask(DEMO_MASK) as masks:
        images = [sample.image.astype(np.uint8) for sample in source]
        holes = [masks.at(t, *image.shape[1::-1]) for t, image in enumerate(images)]
    with OrtRunner(path, threads=threads) as ours, Listener(reference, threads=threads) as theirs:
        (call,) = calls_of(form, theirs, images, holes)
        difference = ours.run(call)["completed"] - theirs.run(call)["completed"]
    hole = call["known"] < 1 if form == "flow" else call["hole"] > 0
    off = np.abs(difference)[np.broadcast_to(hole, difference.shape)]
    good, told, expected = (_judged_flow if form == "flow" else _judged_colours)(off)
    if not good:
        raise ToleranceError(f"{path.name}: {told}; expected {expected}; nothing was written; try other clips")
    return f"{told}\n"


def _judged_flow(off: NDArray[np.float32]) -> tuple[bool, str, str]:
    """Judge differences of completed flow, in the network's pixels.

    Returns:
        Whether they are small enough; what they are, and what is expected, for people to read.
    """
    mean, most = REDUCTION * off.mean(), REDUCTION * off.max()
    told = f"completed flow in the demo's hole: {mean:.3f} pixels off in the mean, {most:.2f} at most"
    return bool(mean <= MOST_OFF), told, f"{MOST_OFF} in the mean"


def _judged_colours(off: NDArray[np.float32]) -> tuple[bool, str, str]:
    """Judge differences of completed colours in [0, 1], likewise."""
    psnr = -10 * np.log10(max(float(np.square(off).mean()), 1e-12))
    told = f"completed colours in the demo's hole: {psnr:.1f} dB, {off.max():.3f} off at most"
    return bool(psnr >= LEAST_PSNR), told, f"{LEAST_PSNR:g} dB"
