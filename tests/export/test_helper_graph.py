from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.runners.ort.onnxruntime_module import import_onnxruntime
from ptfan.export.dimensions import Dimensions
from ptfan.export.exporter import export_checkpoint
from ptfan.export.helper_graph import helper_graph
from ptfan.export.settings import ExportSettings
from ptfan.training.checkpoint import load_helper, save_helper
from ptfan.training.model.colour_completer import ColourCompleter, ColourCompleterConfig
from ptfan.training.model.flow_completer import FlowCompleter, FlowCompleterConfig
from ptfan.training.model.text_network import TextNetwork, TextNetworkConfig


@pytest.fixture(scope="module")
def helper() -> FlowCompleter:
    torch.manual_seed(0)
    network = FlowCompleter(FlowCompleterConfig(widths=(8, 8, 16)))
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval()


@pytest.fixture(scope="module")
def model(helper: FlowCompleter) -> onnx.ModelProto:
    return helper_graph(helper)


@pytest.mark.parametrize("shape", [(1, 4, 4), (2, 12, 8), (7, 20, 28)])
def test_any_length_and_size_agrees_with_torch(
    helper: FlowCompleter, model: onnx.ModelProto, shape: tuple[int, int, int]
) -> None:
    onnxruntime = import_onnxruntime()

    frames, height, width = shape
    generator = torch.Generator().manual_seed(1)
    flow = torch.randn(frames, 4, height, width, generator=generator)
    known = (torch.rand(frames, 1, height, width, generator=generator) < 0.6).float()
    with torch.inference_mode():
        expected = helper(flow, known)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    got = session.run(["completed", "spread"], {"flow": flow.numpy(), "known": known.numpy()})
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 4, 4), (2, 12, 8), (7, 20, 28)])
def test_colours_agree_with_torch_at_any_length_and_size(shape: tuple[int, int, int]) -> None:
    onnxruntime = import_onnxruntime()

    frames, height, width = shape
    torch.manual_seed(0)
    network = ColourCompleter(ColourCompleterConfig(widths=(4, 8, 8), blocks=(1, 1, 2)))
    torch.nn.init.normal_(network.head.weight, std=0.1)
    given = [torch.rand(frames, channels, height, width) for channels in (3, 1, 1)]
    with torch.inference_mode():
        expected = network.eval()(*given)
    content = helper_graph(network).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = ("picture", "confidence", "hole")
    (got,) = session.run(["completed"], {name: value.numpy() for name, value in zip(names, given, strict=True)})
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 32, 48)])
def test_text_agrees_with_torch_at_any_length_and_size(shape: tuple[int, int, int]) -> None:
    onnxruntime = import_onnxruntime()

    frames, height, width = shape
    torch.manual_seed(0)
    network = TextNetwork(TextNetworkConfig(widths=(4, 8, 8), blocks=(1, 1, 2)))
    torch.nn.init.normal_(network.head.weight, std=0.1)
    given = [torch.rand(frames, 3, height, width) for _ in range(2)]
    with torch.inference_mode():
        expected = network.eval()(*given)
    content = helper_graph(network).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = ("picture", "before")
    (got,) = session.run(["score"], {name: value.numpy() for name, value in zip(names, given, strict=True)})
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5, atol=1e-5)


def test_the_checkpoint_tells_what_it_is(helper: FlowCompleter, tmp_path: Path) -> None:
    checkpoint, output = tmp_path / "flow.safetensors", tmp_path / "flow.onnx"
    save_helper(checkpoint, helper, {"steps": 1})
    assert load_helper(checkpoint).config == helper.config
    done = export_checkpoint(checkpoint, output, ExportSettings(weights="fp16"))
    spec = read_spec(output)
    assert spec == done.spec
    assert (spec.form, spec.size_multiple, spec.lookahead) == ("flow", 4, 6)
    for settings, name in (
        (ExportSettings(precision="fp16"), "precision"),
        (ExportSettings(dimensions=Dimensions(5, None)), "window"),
        (ExportSettings(form="step", dimensions=Dimensions(5, None)), "--form, --streams"),
        (ExportSettings(stride=3), "stride"),
    ):
        with pytest.raises(InputError, match=f"leave out.*{name}"):
            export_checkpoint(checkpoint, tmp_path / "other.onnx", settings)
    assert not (tmp_path / "other.onnx").exists()


def test_a_checkpoint_may_store_its_weights_in_half_precision(helper: FlowCompleter, tmp_path: Path) -> None:
    save_helper(tmp_path / "half.safetensors", FlowCompleter(helper.config).half(), {})
    found = load_helper(tmp_path / "half.safetensors")
    assert {value.dtype for value in found.state_dict().values()} == {torch.float32}


def test_weights_of_another_network_are_refused(helper: FlowCompleter, tmp_path: Path) -> None:
    wider = FlowCompleter(FlowCompleterConfig(widths=(8, 16, 16)))
    wider.config = helper.config
    save_helper(tmp_path / "flow.safetensors", wider, {})
    with pytest.raises(ModelError, match="flow completion network"):
        load_helper(tmp_path / "flow.safetensors")
