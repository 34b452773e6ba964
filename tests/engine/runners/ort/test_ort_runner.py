"""What the runners of ONNX files keep to, ONNX Runtime's and OpenVINO's alike, and how one is opened."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, InputError, MissingExtraError, ModelError
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter
from ptfan.engine.models import FLOW_MODEL, find_model
from ptfan.engine.runners.backends import Backend
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.runners.ort.onnxruntime_module import import_onnxruntime
from ptfan.engine.runners.ort.ort_runner import OrtRunner, _quiet, _usual_threads
from ptfan.engine.runners.ov.openvino_runner import OpenVINORunner
from ptfan.engine.spec import CLIP_INPUTS, METADATA_KEY, ModelSpec

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

Opener = Callable[..., Any]
CHANNELS = {"frames": 3, "flow_forward": 2, "flow_backward": 2}
SPEC = ModelSpec(name="tiny", window=4, stride=2, lookahead=0)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    return lambda *args, **options: save_model(tmp_path / "tiny.onnx", *args, **options)


@pytest.fixture(params=[OrtRunner, OpenVINORunner])
def load(request: pytest.FixtureRequest) -> Opener:
    """Return the one runner, and the other."""
    if request.param is OpenVINORunner:
        pytest.importorskip("openvino")
    return request.param


def save_model(
    path: Path, spec: str | None = SPEC.to_json(), *, features: int = onnx.TensorProto.FLOAT, mask: int | None = None
) -> Path:
    """Write a graph in the clip's form whose answer is `frames` plus 0.5 in the hole."""
    helper = onnx.helper
    types = {name: onnx.TensorProto.FLOAT if name.startswith("flow") else features for name in CLIP_INPUTS}
    types["validity_forward"] = mask or features
    inputs = [
        helper.make_tensor_value_info(name, types[name], ["T", CHANNELS.get(name, 1), "H", "W"]) for name in CLIP_INPUTS
    ]
    half = helper.make_tensor("half", features, [], [0.5])
    nodes = [helper.make_node("Mul", ["hole", "half"], ["more"]), helper.make_node("Add", ["frames", "more"], ["fill"])]
    fill = helper.make_tensor_value_info("fill", features, ["T", 3, "H", "W"])
    graph = helper.make_graph(nodes, "tiny", inputs, [fill], [half])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if spec is not None:
        helper.set_model_props(model, {METADATA_KEY: spec})
    onnx.save(model, path)
    return path


def clip(frames: int = 2, height: int = 8, width: int = 16) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    return {name: rng.random((frames, CHANNELS.get(name, 1), height, width), np.float32) for name in CLIP_INPUTS}


def content(state: Any) -> Any:
    """Return what stands in a runner's memory."""
    return state if isinstance(state, np.ndarray) else state.numpy()


def test_outputs_are_written_where_they_are_wanted(load: Opener, save: Callable[..., Path]) -> None:
    inputs = clip()
    with load(save(), threads=1) as runner:
        expected = runner.run(inputs)["fill"]
        wanted = runner.allocate(expected.shape, "fp32")
        assert not content(wanted).any()
        assert runner.run_into(inputs, {"fill": wanted}) == {}
        assert np.array_equal(content(wanted), expected)
        again = runner.run_into({**inputs, "frames": wanted}, {})["fill"]  # what was written is read where it lies
        np.testing.assert_allclose(again, expected + 0.5 * inputs["hole"], rtol=1e-6)
        runner.run({**inputs, "frames": 0 * inputs["frames"]})
        assert np.array_equal(content(wanted), expected)  # a later run writes elsewhere
        with pytest.raises(BackendError, match=r"(ONNX Runtime|OpenVINO) failed"):
            runner.run_into(inputs, {"fill": runner.allocate((1, 3, 8, 16), "fp32")})


def test_runs_and_tells_its_spec(load: Opener, save: Callable[..., Path]) -> None:
    inputs = clip()
    with load(save(), threads=1) as runner:
        assert (runner.spec, runner.path.name) == (SPEC, "tiny.onnx")
        assert runner.backend in ("onnxruntime (CPU, 1 thread)", "openvino (CPU)")
        outputs = runner.run(inputs)
    assert set(outputs) == {"fill"}
    assert outputs["fill"].dtype == np.float32
    np.testing.assert_allclose(outputs["fill"], inputs["frames"] + 0.5 * inputs["hole"], rtol=1e-6)


def test_half_precision_takes_and_gives_float32(load: Opener, save: Callable[..., Path]) -> None:
    inputs = clip()
    with load(save(features=onnx.TensorProto.FLOAT16)) as runner:
        outputs = runner.run(inputs)
    assert outputs["fill"].dtype == np.float32
    np.testing.assert_allclose(outputs["fill"], inputs["frames"] + 0.5 * inputs["hole"], atol=2e-3)


def test_any_number_and_size_of_frames(load: Opener, save: Callable[..., Path]) -> None:
    with load(save()) as runner:
        for frames, height, width in ((1, 8, 8), (5, 24, 16)):
            assert runner.run(clip(frames, height, width))["fill"].shape == (frames, 3, height, width)


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("content", [b"", b"this is no model\nat all", b"\x00" * 100])
def test_a_file_that_is_no_model(load: Opener, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load(path)
    assert "broken.onnx" in one_line(caught.value)
    assert "expected an ONNX file" in str(caught.value) or "no ptfan spec" in str(caught.value)


def test_a_model_that_ptfan_did_not_export(load: Opener, save: Callable[..., Path]) -> None:
    with pytest.raises(ModelError) as caught:
        load(save(None))
    assert "has no ptfan spec in its metadata; export it with" in one_line(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SPEC.to_json().replace('"version": 1', '"version": 7'), "version 7, this ptfan reads version 1"),
        ("{}", "name is missing"),
        ("\n", "is no JSON"),
    ],
)
def test_a_spec_that_cannot_be_used_names_the_file(
    load: Opener, save: Callable[..., Path], text: str, reason: str
) -> None:
    with pytest.raises(ModelError) as caught:
        load(save(text))
    assert "tiny.onnx: model spec: " in one_line(caught.value)
    assert reason in str(caught.value)


def test_inputs_of_another_type_are_refused(load: Opener, save: Callable[..., Path]) -> None:
    with pytest.raises(ModelError) as caught:
        load(save(mask=onnx.TensorProto.INT64))
    assert "not floating" in one_line(caught.value)


@pytest.mark.parametrize(("part", "name"), [("output", "fill"), ("output", "past_12"), ("input", "flow_forward")])
def test_a_graph_that_is_not_what_its_spec_tells_is_refused(part: str, name: str, load: Opener, tmp_path: Path) -> None:
    model = onnx.load(find_model("s-live"))
    entries = getattr(model.graph, part)
    entries[[entry.name for entry in entries].index(name)].name = "other"
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["other" if one == name else one for one in names]
    onnx.save(model, tmp_path / "changed.onnx")
    with pytest.raises(ModelError, match=rf"changed.onnx: spec and graph differ about [^\n]*{name}[^\n]*; export it"):
        load(tmp_path / "changed.onnx")


def test_a_missing_input_is_named(load: Opener, save: Callable[..., Path]) -> None:
    inputs = clip()
    del inputs["hole"], inputs["guidance"]
    with load(save()) as runner, pytest.raises(ModelError, match="input guidance, hole was not given"):
        runner.run(inputs)


def test_an_input_that_does_not_fit_the_graph(load: Opener, save: Callable[..., Path]) -> None:
    inputs = clip()
    inputs["frames"] = inputs["frames"][:, :2]
    with load(save()) as runner, pytest.raises(BackendError) as caught:
        runner.run(inputs)
    assert re.match("model tiny: (ONNX Runtime|OpenVINO) failed", one_line(caught.value))


def test_what_the_handler_of_a_signal_raises_comes_as_it_is(
    load: Opener, save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, inputs, raised = load(save()), clip(), RuntimeError("of the handler")

    def interrupted(*args: Any) -> Any:
        signal.raise_signal(signal.SIGALRM)

    def handler(number: int, frame: object) -> None:
        raise raised

    monkeypatch.setattr(runner, "_bound", interrupted)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(RuntimeError) as caught:
            runner.run(inputs)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert caught.value is raised


def test_closing_twice_is_fine_and_running_then_is_not(load: Opener, save: Callable[..., Path]) -> None:
    runner = load(save())
    runner.close()
    runner.close()
    with pytest.raises(ModelError, match="model tiny: its runner is closed"):
        runner.run(clip())


def test_open_runner(save: Callable[..., Path]) -> None:
    backends: dict[Backend, str] = {"auto": "onnxruntime", "onnxruntime": "onnxruntime", "openvino": "openvino"}
    for backend, taken in backends.items():
        with open_runner(save(), backend=backend, threads=1) as runner:
            assert runner.spec == SPEC
            assert runner.backend.startswith(f"{taken} (CPU")


def test_a_backend_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="backend is 'abacus', expected auto or one of: tensorrt, onnxruntime-cuda, onnxruntime"
    ):
        open_runner(tmp_path / "any.onnx", backend="abacus")  # type: ignore[arg-type]


def test_a_backend_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.runners.backends.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ptfan\[cuda\]'; .*pip install 'ptfan\[cpu\]'$"):
        open_runner(FLOW_MODEL)
    named: tuple[Backend, ...] = ("openvino", "openvino-bf16")
    for backend in named:
        with pytest.raises(
            MissingExtraError, match=rf"^backend {backend}: not installed: pip install 'ptfan\[openvino\]'$"
        ):
            open_runner(FLOW_MODEL, backend=backend)


def test_an_inpainter_runs_a_file_and_closes_it(save: Callable[..., Path]) -> None:
    hole = np.zeros((24, 32), bool)
    hole[8:16, 8:20] = True
    image = np.zeros((24, 32, 3), np.uint8)
    image[hole] = 99
    with Inpainter(save()) as inpainter:
        done = [*inpainter.push(Frame(image, hole)), *inpainter.flush()]
    picture: Any = done[0].composite()
    assert (picture[hole] == 128).all()
    assert not picture[~hole].any()


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 1), (7, 3)])
def test_int8_leaves_half_of_the_cores_to_others(cores: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.runners.ort.ort_runner.cores", lambda: cores)
    assert _usual_threads(read_spec(find_model("s-live-int8"))) == expected
    assert _usual_threads(read_spec(find_model("s-live"))) == 0


def test_a_quota_limits_the_threads(load: Opener, save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    library = "ort.ort_runner" if load is OrtRunner else "ov.openvino_runner"
    monkeypatch.setattr(f"ptfan.engine.runners.{library}.usual_threads", lambda: 1)
    for asked, expected in ((0, 1), (2, 2)):
        runner = load(save(), threads=asked)
        given = runner._threads if load is OrtRunner else runner._options["INFERENCE_NUM_THREADS"]
        assert given == expected


def test_stdout_stays_however_many_threads_load_models(monkeypatch: pytest.MonkeyPatch) -> None:
    onnxruntime = import_onnxruntime()

    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: time.sleep(0.002), raising=False)
    before = sys.stdout

    def load(number: int) -> None:
        with _quiet(loads_cuda=number % 2 == 0):
            time.sleep(0.001 * (number % 3))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(load, range(40)))
    assert sys.stdout is before
