from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import BackendError, InputNotFoundError, ModelError
from ptfan.engine.frame import Frame, Image
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.masks.source import open_mask
from ptfan.engine.models import file_sha256, find_model
from ptfan.engine.runners import choice
from ptfan.engine.runners.choice import RUNNER_GROUP, open_runner
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.engine.verify.run import VerifySettings, verify
from ptfan.training import checkpoint as checkpoint_module
from ptfan.training.checkpoint import build, save_checkpoint
from ptfan.training.model import Generator, preset
from ptfan.training.torch_runner import TorchRunner

SHIPPED = Path(checkpoint_module.__file__).parent / "checkpoints" / "s.safetensors"
FRAMES = 6


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    save_checkpoint(path, Generator(replace(preset("s"), name="small")), {})
    return path


def inputs(frames: int = 2, side: int = 32) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    channels = dict(zip(CLIP_INPUTS, (3, 1, 1, 2, 2, 1, 1), strict=True))
    return {name: rng.random((frames, count, side, side), np.float32) for name, count in channels.items()}


def inpainted(runner: Any) -> list[Image]:
    """Return the demonstration's first frames as the runtime inpaints them with a runner."""
    done = []
    with av.open(str(DEMO_CLIP)) as container, open_mask(DEMO_MASK) as mask:
        inpainter = Inpainter(runner=runner, settings=InpaintSettings(window=FRAMES, stride=FRAMES))
        for index, frame in zip(range(FRAMES), container.decode(video=0)):  # noqa: B905 (the clip is longer)
            image = frame.to_ndarray(format="rgb24")
            done += inpainter.push(Frame(image, np.asarray(mask.at(index, frame.width, frame.height))))
        done += inpainter.flush()
    return [frame.composite() for frame in done]


def test_torch_and_onnx_give_the_same_pictures() -> None:
    with TorchRunner(SHIPPED, threads=1) as ours, open_runner(find_model("s-window"), threads=1) as shipped:
        assert ours.spec.weights_sha256 == shipped.spec.weights_sha256 == file_sha256(SHIPPED)
        for a, b in zip(inpainted(ours), inpainted(shipped), strict=True):
            assert np.abs(a.astype(int) - b.astype(int)).max() <= 1


def test_it_is_the_generator_in_evaluation_mode(small: Path) -> None:
    runner = TorchRunner(small)
    feed = inputs()
    with torch.inference_mode():
        expected = build(small)(*(torch.from_numpy(feed[name]) for name in CLIP_INPUTS))
    (fill,) = runner.run({name: array.astype(np.float64) for name, array in feed.items()}).values()
    np.testing.assert_array_equal(fill, expected.numpy())
    assert fill.dtype == np.float32
    assert (runner.spec.name, runner.spec.fill, runner.backend) == ("small", "propagated", "torch (cpu)")


def test_what_does_not_fit_is_named(small: Path, tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="expected a checkpoint"):
        TorchRunner(tmp_path / "none.safetensors")
    with pytest.raises(BackendError, match="device nowhere: torch cannot use it"):
        TorchRunner(small, device="nowhere")
    with TorchRunner(small) as runner:
        with pytest.raises(ModelError, match="model small: input hole was not given"):
            runner.run({name: array for name, array in inputs().items() if name != "hole"})
        with pytest.raises(ModelError, match="expected multiples of 8"):
            runner.run(inputs(side=20))
    with pytest.raises(ModelError, match="closed"):
        runner.run(inputs())


def test_the_runtime_finds_it_by_the_file_s_name(
    small: Path, pyproject: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = pyproject["project"]["entry-points"][RUNNER_GROUP]
    points = [EntryPoint(name, value, RUNNER_GROUP) for name, value in declared.items()]
    monkeypatch.setattr(
        choice,
        "entry_points",
        lambda *, group, name: [point for point in points if (point.group, point.name) == (group, name)],
    )
    with open_runner(small) as runner:
        assert isinstance(runner, TorchRunner)
    with pytest.raises(ModelError, match="cannot be read; expected an ONNX file"):
        open_runner(small, backend="onnxruntime")


def test_the_largest_activation_is_that_of_any_layer(small: Path) -> None:
    with TorchRunner(small, threads=1) as runner:
        runner.run(inputs())
        assert runner.largest_activation is None
        runner.watch()
        before = runner.run(inputs())["fill"]
        first = runner.largest_activation
        assert first is not None
        assert first >= np.abs(before).max() > 0
        layer = next(module for module in runner._generator.modules() if isinstance(module, torch.nn.Conv2d))
        layer.weight.data *= 1e6
        runner.watch()  # a second time changes nothing
        runner.run(inputs())
        assert runner.largest_activation > 1e3 * first


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_never_forgotten(small: Path, poison: float) -> None:
    with TorchRunner(small, threads=1) as runner:
        runner.watch()
        runner.run({**inputs(), "frames": np.full((2, 3, 32, 32), poison, np.float32)})
        runner.run(inputs())
        assert runner.largest_activation is not None
        assert not np.isfinite(runner.largest_activation)


def test_verify_tells_the_largest_activation_of_a_checkpoint() -> None:
    found = verify("s", SHIPPED, VerifySettings(frames=2))
    assert found.passed
    assert found.largest_activation is not None
    assert 1 < found.largest_activation < 65504
    assert f"largest activation of the reference: {found.largest_activation:.1f}; fp16 ends at 65,504" in found.table
