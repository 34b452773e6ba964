"""The shipped networks in fp16 stay near to themselves in fp32, on a real clip."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from ptfan.engine.models import file_sha256
from ptfan.engine.spec import LEAST_PSNR, StateSpec
from ptfan.engine.verify.run import verify
from ptfan.export.dimensions import Dimensions
from ptfan.export.graph import clip_graph, step_graph
from ptfan.export.metadata import model_spec, write_spec
from ptfan.export.settings import ExportSettings, GraphForm
from ptfan.training.checkpoint import build

CHECKPOINTS = Path(__file__).parents[2] / "training" / "checkpoints"
CROP = (232, 128)
"""How the network sees the demo's hole; a fixed size is exported in a third of the time."""


@pytest.mark.parametrize(("name", "form"), [("s", "clip"), ("s-live", "step")])
def test_fp16_holds_45_db_in_the_hole(name: str, form: GraphForm, tmp_path: Path) -> None:
    checkpoint = CHECKPOINTS / f"{name}.safetensors"
    generator = build(checkpoint)
    settings = ExportSettings(form=form, precision="fp16", dimensions=Dimensions(1 if form == "step" else 30, CROP))
    carried: tuple[StateSpec, ...] = ()
    if form == "step":
        model, carried = step_graph(generator, "fp16", settings.dimensions)
    else:
        model = clip_graph(generator, "fp16", settings.dimensions)
    write_spec(model, model_spec(generator, settings, carried=carried, weights_sha256=file_sha256(checkpoint)))
    onnx.save(model, tmp_path / f"{name}-fp16.onnx")
    told: list[str] = []
    found = verify(tmp_path / f"{name}-fp16.onnx", warn=told.append)
    assert found.passed
    assert found.hole.psnr >= LEAST_PSNR
    assert found.hole.worst > 0  # it is not the fp32 file
    assert (found.inpainted, found.model["spec"]["precision"], found.reference["spec"]["precision"]) == (
        55, "fp16", "fp32",
    )  # fmt: skip
    assert told == []
