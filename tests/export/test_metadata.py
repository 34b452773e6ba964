"""What a file says of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from ptfan.engine.errors import ModelError
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.spec import METADATA_KEY, ModelSpec
from ptfan.export.dimensions import Dimensions
from ptfan.export.metadata import model_spec, write_spec
from ptfan.export.settings import ExportSettings
from ptfan.training.model import Generator, preset


def test_spec_of_a_preset() -> None:
    generator = Generator(preset("s"))
    spec = model_spec(generator, ExportSettings(precision="fp16"), weights_sha256="abc")
    assert (spec.name, spec.form, spec.precision, spec.warp, spec.fill) == ("s", "clip", "fp16", "pixel", "propagated")
    assert spec.lookahead == generator.config.temporal_layers == 11
    assert spec.parameters == sum(parameter.numel() for parameter in generator.parameters())
    assert (spec.fixed_window, spec.fixed_size, spec.size_multiple) == (None, None, 8)
    assert 1 <= spec.stride < spec.window
    assert spec.weights_sha256 == "abc"


def test_the_published_network_keeps_its_window(tiny: Callable, make_generator: Callable) -> None:
    spec = model_spec(make_generator(tiny("paper", convention="tsam")), ExportSettings())
    assert (spec.window, spec.stride, spec.warp, spec.fill) == (15, 9, "tsam", "zero")


def test_what_is_fixed_is_told(tiny_generator: Generator) -> None:
    spec = model_spec(tiny_generator, ExportSettings(dimensions=Dimensions(5, (64, 48)), name="mine", stride=2))
    assert (spec.name, spec.window, spec.stride) == ("mine", 5, 2)
    assert (spec.fixed_window, spec.fixed_size) == (5, (64, 48))


@pytest.mark.parametrize("window", [1, 2, 3, 15, 40])
def test_the_usual_stride_fits_any_window(window: int, tiny_generator: Generator) -> None:
    spec = model_spec(tiny_generator, ExportSettings(dimensions=Dimensions(window)))
    assert 1 <= spec.stride <= spec.window == window


def test_a_stride_longer_than_the_window_is_refused(tiny_generator: Generator) -> None:
    with pytest.raises(ModelError, match=r"stride is 6, expected 1 to window \(5\)"):
        model_spec(tiny_generator, ExportSettings(dimensions=Dimensions(5), stride=6))


def test_what_is_written_replaces_an_older_spec_and_nothing_else(tmp_path: Path) -> None:
    model = onnx.ModelProto()
    model.metadata_props.add(key="other", value="stays")
    first = ModelSpec(name="first", window=3, stride=1, lookahead=2)
    second = ModelSpec(name="second", window=15, stride=9, lookahead=5, fixed_size=(64, 48), precision="fp16")
    write_spec(model, first)
    write_spec(model, second)
    onnx.save(model, tmp_path / "second.onnx")
    assert read_spec(tmp_path / "second.onnx") == second
    assert [entry.key for entry in model.metadata_props] == ["other", METADATA_KEY]
