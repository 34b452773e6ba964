"""OpenVINO against ONNX Runtime: both forms, states, streams, sizes that change, and what bf16 costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.fillers.stepper import Stepper, step_inputs
from ptfan.engine.inpainter import InpaintSettings
from ptfan.engine.models import FLOW_MODEL, find_model
from ptfan.engine.runners.backends import backend_status
from ptfan.engine.runners.ort.ort_runner import OrtRunner
from ptfan.engine.runners.ov.openvino_runner import SIZES, OpenVINORunner
from ptfan.engine.runners.runner import Runner
from ptfan.engine.spec import CLIP_CHANNELS
from ptfan.engine.verify.run import VerifySettings, verify

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

Arrays = dict[str, NDArray[np.float32]]
Both = Callable[..., tuple[Runner, Runner]]
BF16 = pytest.mark.skipif(not backend_status("openvino-bf16").usable, reason=backend_status("openvino-bf16").reason)


def clip(frames: int, height: int, width: int, seed: int = 0) -> Arrays:
    """Noise with flows of a few pixels, one in five not valid."""
    random = np.random.default_rng(seed)
    shapes = {name: (frames, channels, height, width) for name, channels in CLIP_CHANNELS.items()}
    arrays = {name: random.random(shape, np.float32) for name, shape in shapes.items()}
    for name in arrays:
        if name.startswith("flow"):
            arrays[name] = 6 * arrays[name] - 3
        elif name not in ("frames", "guidance"):
            arrays[name] = (arrays[name] > 0.2).astype(np.float32)
    return arrays


@pytest.fixture
def both() -> Both:
    """Return a function that loads a model of the package in ONNX Runtime and in OpenVINO."""

    def load(name: str) -> tuple[Runner, Runner]:
        model = find_model(name)
        return OrtRunner(model, threads=1), OpenVINORunner(model, threads=1)

    return load


def psnr(answer: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(-10 * np.log10(np.mean((answer - expected) ** 2)))


def test_windows_of_any_length_and_size(both: Both) -> None:
    slow, fast = both("s-window")
    for shape in ((3, 16, 24), (1, 16, 24), (2, 32, 16), (3, 16, 24)):
        inputs = clip(*shape)
        np.testing.assert_allclose(fast.run(inputs)["fill"], slow.run(inputs)["fill"], atol=1e-5)


def test_the_completion_of_flow() -> None:
    rng = np.random.default_rng(0)
    inputs = {"flow": rng.normal(size=(4, 4, 16, 24)), "known": rng.random((4, 1, 16, 24))}
    with OrtRunner(FLOW_MODEL, threads=1) as slow, OpenVINORunner(FLOW_MODEL, threads=1) as fast:
        answer, expected = fast.run(inputs), slow.run(inputs)
        assert answer.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_allclose(answer[name], array, atol=1e-4)


@pytest.mark.parametrize("name", ["s", "s-live"])
def test_states_are_kept_and_streams_come_late_and_begin_anew(both: Both, name: str) -> None:
    steppers = [Stepper(runner, 16, 24, streams=2) for runner in both(name)]
    first, second = clip(16, 16, 24), clip(16, 16, 24, seed=1)
    for t in range(18):
        parts = [step_inputs(inputs, t) for inputs in (first, second)]
        batch = {name: np.concatenate([part[name] for part in parts]) for name in first}
        live = [t < 16, None if t in (3, 9) else t < 16]
        if t == 12:
            for stepper in steppers:
                stepper.reset(1)
        expected, answer = (stepper.push(batch, live) for stepper in steppers)
        shown = 1 if live[1] is None else 2
        np.testing.assert_allclose(answer[:shown], expected[:shown], atol=1e-5)


def test_streams_of_two_sizes_take_turns(both: Both) -> None:
    pairs = [[Stepper(runner, *size) for runner in both("s-live")] for size in ((16, 24), (24, 16))]
    clips = clip(5, 16, 24), clip(5, 24, 16)
    for t in range(5):
        for (slow, fast), inputs in zip(pairs, clips, strict=True):
            frame = step_inputs(inputs, t)
            np.testing.assert_allclose(fast.push(frame), slow.push(frame), atol=1e-5)


def test_only_the_last_sizes_stay_compiled() -> None:
    with OpenVINORunner(FLOW_MODEL, threads=1) as runner:
        made = runner._request.cache_info
        sizes = [4 * (1 + n) for n in range(SIZES + 1)]
        for size in (*sizes, sizes[-1]):
            runner.run({"flow": np.zeros((1, 4, 4, size)), "known": np.ones((1, 1, 4, size))})
        assert (made().misses, made().hits, made().currsize) == (SIZES + 1, 1, SIZES)
    assert made().currsize == 0, "closing frees them"


@pytest.mark.parametrize("threads", [1, 2])
def test_it_takes_the_threads_that_it_is_given(threads: int) -> None:
    with OpenVINORunner(FLOW_MODEL, threads=threads) as runner:
        request = runner._compile((("flow", (1, 4, 8, 8)), ("known", (1, 1, 8, 8))), frozenset())
        assert request.get_compiled_model().get_property("INFERENCE_NUM_THREADS") == threads


@BF16
@pytest.mark.parametrize("name", ["s-live", "s-window"])
def test_bf16_is_near_in_the_hole_of_a_real_clip(name: str) -> None:
    asked = InpaintSettings(backend="openvino-bf16", threads=1, window=6)
    found = verify(name, name, VerifySettings(inpaint=asked, against_backend="onnxruntime", frames=12))
    assert found.passed, found.table
    assert 45 < found.hole.psnr < 90, "it is bf16"


@BF16
def test_bf16_leaves_flow_as_exact_as_it_is() -> None:
    """Rounded to bf16, places in a wide picture would be off by more than a pixel: 55 dB."""
    model, inputs = find_model("s-live"), clip(6, 16, 1024)
    inputs["validity_backward"][:] = 1.0
    with OrtRunner(model, threads=1) as slow, OpenVINORunner(model, threads=1, arithmetic="bf16") as fast:
        assert fast.backend == "openvino-bf16 (CPU)"
        steppers = [Stepper(runner, 16, 1024) for runner in (slow, fast)]
        for t in range(6):
            expected, answer = (stepper.push(step_inputs(inputs, t)) for stepper in steppers)
        assert psnr(answer, expected) > 60


def test_a_file_that_openvino_cannot_read_is_told_in_one_line(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(find_model("s-live"))
    model.graph.node[0].op_type = "Nonsense"
    onnx.save(model, tmp_path / "odd.onnx")
    with pytest.raises(
        ValueError, match=r"odd.onnx: OpenVINO cannot load it \(.*Nonsense.*expected an ONNX file"
    ) as got:
        OpenVINORunner(tmp_path / "odd.onnx")
    assert "\n" not in str(got.value)


def test_a_signal_finds_its_stack_when_runners_are_gone() -> None:
    code = """if True:
        import faulthandler, gc, os, signal
        import numpy as np
        from ptfan.engine.models import FLOW_MODEL
        from ptfan.engine.runners.ov.openvino_runner import OpenVINORunner
        faulthandler.enable()  # a stack for signals
        runners = [OpenVINORunner(FLOW_MODEL, threads=1) for _ in range(2)]
        for runner in runners:
            flow, known = np.zeros((3, 4, 16, 16), np.float32), np.ones((3, 1, 16, 16), np.float32)
            runner.run({"flow": flow, "known": known})
        del runner
        while runners:
            runners.pop(0).close()
            gc.collect()
        signal.signal(signal.SIGINT, lambda number, frame: print("caught"))
        os.kill(os.getpid(), signal.SIGINT)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "caught\n", "")
