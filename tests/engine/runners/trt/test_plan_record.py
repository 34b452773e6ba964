from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ptfan.engine.errors import InputNotFoundError, ModelError
from ptfan.engine.runners.trt.gpu import Gpu
from ptfan.engine.runners.trt.plan_record import PlanRecord, read_record, record_path
from ptfan.engine.runners.trt.sizes import SizeRange
from ptfan.engine.spec import ModelSpec

SPEC = ModelSpec(name="tiny", window=4, stride=2, lookahead=0)
ORIN, H100, T4 = Gpu("Orin", (8, 7)), Gpu("H100", (9, 0)), Gpu("T4", (7, 5))
RECORD = PlanRecord(
    spec=SPEC,
    model="tiny.onnx",
    model_sha256="a" * 64,
    plan_sha256=hashlib.sha256(b"plan").hexdigest(),
    ptfan="0.1.0",
    tensorrt="tensorrt",
    tensorrt_version="10.3.0",
    gpu=ORIN,
    sizes=SizeRange.of(SPEC),
    plugin="python",
)


def save(folder: Path, text: str = RECORD.to_json(), content: bytes = b"plan") -> Path:
    plan = folder / "tiny.plan"
    plan.write_bytes(content)
    record_path(plan).write_text(text, encoding="utf-8")
    return plan


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_record(save(tmp_path)) == RECORD
    portable = replace(RECORD, gpu=None, tensorrt="tensorrt_rtx", plugin="none")
    assert read_record(save(tmp_path, portable.to_json())) == portable


def changed(**values: Any) -> str:
    return json.dumps(json.loads(RECORD.to_json()) | values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "is no JSON"),
        ("[]", r"\[\] stands where a JSON object was expected"),
        (changed(gpu={"name": "x"}), "gpu: capability is missing"),
        (changed(sizes={}), "sizes: least is missing"),
        (changed(colour="red"), "unknown fields colour"),
        (changed(version=2), "version is 2, expected 1"),
        (changed(spec={}), "spec: name is missing"),
        (changed(plan_sha256="b"), "belongs to another plan"),
    ],
)
def test_a_record_that_cannot_be_used(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        read_record(save(tmp_path, text))
    assert "tiny.plan.json" in str(caught.value)
    assert "again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plan_without_a_record(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="there is no such file"):
        read_record(tmp_path / "none.plan")
    record_path(save(tmp_path)).unlink()
    with pytest.raises(ModelError, match=r"tiny\.plan\.json is not beside it; build it by `ptfan build`"):
        read_record(tmp_path / "tiny.plan")


@pytest.mark.parametrize(
    ("record", "version", "gpu", "said"),
    [
        (RECORD, "10.3.0", ORIN, None),
        (RECORD, "10.3.1", ORIN, "was built by tensorrt 10.3.0, here is 10.3.1"),
        (RECORD, "10.3.0", H100, "was built on a Orin (compute capability 8.7), here is a H100 (9.0)"),
        (replace(RECORD, version_compatible=True), "10.13.0", ORIN, None),
        (replace(RECORD, version_compatible=True), "11.0.0", ORIN, None),
        (replace(RECORD, version_compatible=True), "10.14.1.48.post1", ORIN, None),
        (replace(RECORD, version_compatible=True), "10.2.0", ORIN, "here is 10.2.0"),
        (replace(RECORD, version_compatible=True), "12.0.0", ORIN, "here is 12.0.0"),
        (replace(RECORD, hardware_compatible=True), "10.3.0", H100, None),
        (replace(RECORD, hardware_compatible=True), "10.3.0", T4, "from compute capability 8.0 on, the T4 has 7.5"),
        (replace(RECORD, gpu=None), "10.3.0", H100, None),
        (replace(RECORD, gpu=None), "10.3.0", T4, "from compute capability 8.0 on, the T4 has 7.5"),
    ],
)
def test_what_it_fits(record: PlanRecord, version: str, gpu: Gpu, said: str | None) -> None:
    found = record.misfit("tensorrt", version, gpu)
    assert found is None if said is None else said in str(found)


def test_it_fits_no_other_module() -> None:
    assert RECORD.misfit("tensorrt_rtx", "10.3.0", ORIN) == "was built by tensorrt 10.3.0, here is tensorrt_rtx"


def test_the_command_that_builds_it_again() -> None:
    record = replace(RECORD, hardware_compatible=True, model="my model.onnx")
    assert record.rebuild_command(Path("t.plan")) == (
        "ptfan build 'my model.onnx' -o t.plan --min 64x64 --opt 432x240 --max 864x480 --frames 4 --plugin python "
        "--hardware-compatible --overwrite"
    )
    assert "--plugin" not in replace(record, plugin="library").rebuild_command(Path("t.plan"))


@pytest.mark.parametrize("field", ["version_compatible", "plugin_embedded"])
def test_plans_that_carry_code(field: str) -> None:
    assert replace(RECORD, **{field: True}).carries_code  # type: ignore[arg-type]
    assert not RECORD.carries_code
