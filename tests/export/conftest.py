"""Networks with random weights, the graphs that are made of them, and clips to run both on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from ptfan.engine.spec import CLIP_CHANNELS, CLIP_INPUTS
from ptfan.export.dimensions import Dimensions
from ptfan.export.graph import clip_graph
from ptfan.training.checkpoint import save_checkpoint
from ptfan.training.model import Generator, GeneratorConfig, preset
from ptfan.training.model.blocks import Bottleneck, GatedDecoderLayer
from ptfan.training.model.config import Stage
from ptfan.training.model.decoder import PaperDecoder

Arrays = dict[str, NDArray[np.float32]]
REAL = (432, 240)
"""The size that the presets are made for, pixels."""
TINY = Dimensions(9, (64, 48))
"""What the tiny network's graph takes."""


def _soften(gate: torch.Tensor) -> None:
    with torch.no_grad():
        gate.mul_(0.1)


def randomised(config: GeneratorConfig, seed: int = 0) -> Generator:
    """A generator whose norms are no neutral ones, and whose output is of a picture's order of size.

    As in a trained network, a block changes its input a little, and gates are no switches. Without that, rounding
    errors grow from layer to layer, and fp32 in torch is as far from double precision as from another runtime.
    """
    torch.manual_seed(seed)
    generator = Generator(config).eval()
    for module in generator.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, Bottleneck):
            torch.nn.init.uniform_(module.norm3.weight, 0.1, 0.4)
            _soften(module.reduce.conv.weight[module.reduce.conv.out_channels // 2 :])
        if isinstance(module, GatedDecoderLayer) and module.gate is not None:
            _soften(module.gate.weight)
    if isinstance(generator.decoder, PaperDecoder):
        with torch.no_grad():
            generator.decoder.head.feature.weight.mul_(0.05)
    return generator


def clip(frames: int, height: int, width: int, seed: int = 0) -> Arrays:
    """Noise with flows of a few pixels, one in five not valid."""
    random = np.random.default_rng(seed)
    shapes = {name: (frames, channels, height, width) for name, channels in CLIP_CHANNELS.items()}
    arrays = {name: random.random(shape) for name, shape in shapes.items()}
    for name in CLIP_INPUTS:
        if name.startswith("flow"):
            arrays[name] = 6 * arrays[name] - 3
        elif name != "frames" and name != "guidance":
            arrays[name] = (arrays[name] > 0.2).astype(float)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Arrays]:
    """Return the function that makes random clips of (frames, height, width)."""
    return clip


@pytest.fixture(scope="session")
def make_generator() -> Callable[..., Generator]:
    """Return the function that makes random generators of a config."""
    return randomised


@pytest.fixture(scope="session")
def tiny() -> Callable[..., GeneratorConfig]:
    """Return a function that makes configs of narrow and short networks, of either design."""
    stages = (Stage(8, (1,)), Stage(8, (1,), stride=2), Stage(8, (2,)), Stage(8, (4,)))
    common: dict[str, Any] = {"name": "tiny", "stem_width": 16, "stem_kernel": 5, "stages": stages}

    def make(decoder: str, **changes: Any) -> GeneratorConfig:
        widths = (32, 32) if decoder == "paper" else (16, 8)
        fill = "zero" if decoder == "paper" else "propagated"
        return GeneratorConfig(**{**common, "decoder": decoder, "decoder_widths": widths, "fill": fill, **changes})

    return make


@pytest.fixture(scope="session")
def generators() -> dict[str, Generator]:
    """Return the presets: `s` as we train it, `r50` as it is imported."""
    return {"s": randomised(preset("s")), "r50": randomised(preset("r50", convention="tsam"))}


@pytest.fixture(scope="session")
def s_graph(generators: dict[str, Generator]) -> onnx.ModelProto:
    """Return `s` of any size, fp32."""
    return clip_graph(generators["s"], "fp32", Dimensions())


@pytest.fixture(scope="session")
def r50_graph(generators: dict[str, Generator]) -> onnx.ModelProto:
    """Return `r50` of any size, fp32."""
    return clip_graph(generators["r50"], "fp32", Dimensions())


@pytest.fixture(scope="session")
def s_real_fp16(generators: dict[str, Generator]) -> onnx.ModelProto:
    """Return `s` of its real size and any length, fp16."""
    return clip_graph(generators["s"], "fp16", Dimensions(size=REAL))


@pytest.fixture(scope="session")
def r50_real_fp16(generators: dict[str, Generator]) -> onnx.ModelProto:
    """Return `r50` of its real size and length, fp16."""
    return clip_graph(generators["r50"], "fp16", Dimensions(15, REAL))


@pytest.fixture(scope="session")
def graph(request: pytest.FixtureRequest) -> Callable[[str], onnx.ModelProto]:
    """Return a function that gets one of the graphs above by name, so that only those are made that a test takes."""
    return request.getfixturevalue


@pytest.fixture(scope="session")
def tiny_generator(tiny: Callable[..., GeneratorConfig]) -> Generator:
    """Return a narrow and short network of our own design."""
    return randomised(tiny("light"))


@pytest.fixture(scope="session")
def tiny_graph(tiny_generator: Generator) -> onnx.ModelProto:
    """Return that network's graph, of one size and length, fp32."""
    return clip_graph(tiny_generator, "fp32", TINY)


@pytest.fixture(scope="session")
def checkpoint(tiny_generator: Generator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return that network's checkpoint."""
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors"
    save_checkpoint(path, tiny_generator, {"steps": 0})
    return path
