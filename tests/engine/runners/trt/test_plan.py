"""Plans as they are loaded and run at several sizes, on the stand-ins for TensorRT and CUDA."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ptfan.engine.errors import BackendError
from ptfan.engine.models import file_sha256
from ptfan.engine.runners.choice import open_runner
from ptfan.engine.runners.trt.plan import MOST_EXTENTS, TRUST_VARIABLE
from ptfan.engine.runners.trt.plugin_choice import PLUGIN_VARIABLE
from ptfan.engine.runners.trt.tensorrt_runner import TensorRTRunner
from ptfan.engine.spec import CLIP_CHANNELS
from tests.engine.runners.trt.conftest import brighten, clip


def test_sizes_that_take_turns_stay_recorded(plan: Callable, runner: Callable, cuda: Any, tensorrt: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    for shape in ((2, 16, 24), (3, 8, 8)) * 3:
        inputs = clip(*shape)
        np.testing.assert_allclose(loaded.run(inputs)["fill"], brighten(inputs), atol=1e-6)
    assert cuda.launched == 4
    assert [context.resized for context in tensorrt.contexts] == [len(CLIP_CHANNELS)] * 2, "shapes are told once"
    assert len({context.memory for context in tensorrt.contexts}) == 1, "they take turns in one piece of memory"


def test_what_has_not_come_for_long_gives_its_context(
    plan: Callable, runner: Callable, cuda: Any, tensorrt: Any
) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    sizes = [(1 + number, 16, 24) for number in range(MOST_EXTENTS + 1)]
    for shape in [sizes[0], *sizes, sizes[0]]:
        inputs = clip(*shape)
        np.testing.assert_allclose(loaded.run(inputs)["fill"], brighten(inputs), atol=1e-6)
    assert len(tensorrt.contexts) == MOST_EXTENTS
    assert (cuda.launched, cuda.recordings) == (1, 0), "what was recorded in it went with it"


@pytest.fixture
def rtx(tensorrt: Any) -> Any:
    """Return a TensorRT that is the one for RTX."""
    tensorrt.__name__ = "tensorrt_rtx"
    return tensorrt


def rtx_plan(plan: Callable, runner: Callable) -> Path:
    path: Path = plan(runner(brighten), tensorrt="tensorrt_rtx", gpu=None)
    return path


def test_tensorrt_for_rtx_compiles_at_once_and_says_what_may_be_recorded(
    plan: Callable, runner: Callable, cuda: Any, rtx: Any
) -> None:
    loaded = TensorRTRunner(rtx_plan(plan, runner))
    (context,) = rtx.contexts
    assert context.how.dynamic_shapes_kernel_specialization_strategy == "eager"
    context.is_stream_capturable = lambda stream: False
    for _ in range(3):
        loaded.run(clip(2))
    assert (cuda.launched, loaded.backend) == (0, "tensorrt (GPU 0)")
    context.is_stream_capturable = lambda stream: True
    loaded.run(clip(2))
    assert (cuda.launched, loaded.backend) == (1, "tensorrt (GPU 0, CUDA graphs)")


def test_plans_of_tensorrt_for_rtx_run_in_memory_that_they_are_given(
    plan: Callable, runner: Callable, cuda: Any, rtx: Any
) -> None:
    loaded, inputs = TensorRTRunner(rtx_plan(plan, runner)), clip(2)
    np.testing.assert_allclose(loaded.run(inputs)["fill"], brighten(inputs), atol=1e-6)
    assert rtx.contexts[0].memory in cuda.memory
    loaded.close()
    del loaded
    gc.collect()
    assert cuda.memory.keys() == set()


def test_why_there_is_no_context_is_told(plan: Callable, runner: Callable, rtx: Any) -> None:
    rtx.ExecutionContextAllocationStrategy = SimpleNamespace(STATIC="static", USER_MANAGED="static")
    with pytest.raises(BackendError, match=r"a.plan: TensorRT makes no context to run it in \(Engine was built with B"):
        TensorRTRunner(rtx_plan(plan, runner))


def test_what_was_compiled_is_kept_beside_the_plan(plan: Callable, runner: Callable, rtx: Any) -> None:
    path = rtx_plan(plan, runner)
    kept = path.with_name("a.plan.cache")
    for content in (None, b"of another"):
        if content is not None:
            kept.write_bytes(content)
        with TensorRTRunner(path) as loaded:
            loaded.run(clip(2))
            assert rtx.contexts[-1].how.cache is not None
        assert kept.read_bytes() == b"kernels"
    written = kept.stat().st_mtime_ns
    TensorRTRunner(path).close()
    assert rtx.compiled == b"kernels"
    assert kept.stat().st_mtime_ns == written, "nothing new"


def test_where_nothing_can_be_kept_all_goes_on(plan: Callable, runner: Callable, rtx: Any) -> None:
    path = rtx_plan(plan, runner)
    path.with_name("a.plan.cache").mkdir()  # neither read nor written, whoever runs this
    with TensorRTRunner(path) as loaded:
        loaded.run(clip(2))


def test_outputs_that_are_larger_than_their_memory(plan: Callable, runner: Callable, tensorrt: Any) -> None:
    loaded = TensorRTRunner(plan(runner(brighten)))
    tensorrt.contexts[0].get_tensor_shape = lambda name: [2, 3, 32, 48] if name == "fill" else clip(2)[name].shape
    with pytest.raises(BackendError, match=r"fill is \(2, 3, 32, 48\) in TensorRT, expected \(2, 3, 16, 24\); build"):
        loaded.run(clip(2))


def test_an_old_error_is_not_told_for_a_new_one(plan: Callable, runner: Callable, tensorrt: Any) -> None:
    first, second = (TensorRTRunner(plan(runner(brighten))) for _ in range(2))
    assert len({id(context.log) for context in tensorrt.contexts}) == 1, "TensorRT takes one for a process"
    tensorrt.fails = "broken"
    with pytest.raises(BackendError, match=r"TensorRT failed \(broken\)"):
        first.run(clip(2))
    tensorrt.fails = ""
    tensorrt.contexts[-1].set_input_shape = lambda name, shape: False
    with pytest.raises(BackendError, match=r"TensorRT refuses .* \(it does not say why\)"):
        second.run(clip(2))


def test_a_plan_that_does_not_fit_is_refused_with_the_command_that_mends_it(
    plan: Callable, runner: Callable, cuda: Any, tensorrt: Any
) -> None:
    path = plan(runner(brighten), tensorrt_version="10.3.0")
    with pytest.raises(BackendError) as caught:
        open_runner(path)
    assert str(caught.value) == (
        f"plan {path}: was built by tensorrt 10.3.0, here is 10.13.3.9; build it here: ptfan build tiny.onnx -o {path} "
        "--min 8x8 --opt 16x16 --max 64x64 --frames 6 --plugin none --overwrite"
    )
    cuda.capability = (9, 0)
    with pytest.raises(BackendError, match=r"was built on a Orin \(compute capability 8.7\), here is a Orin \(9.0\)"):
        open_runner(plan(runner(brighten)))
    cuda.capability, tensorrt.fails = (8, 7), "wrong magic tag"
    with pytest.raises(BackendError, match=r"TensorRT cannot load it \(wrong magic tag\); build it here: ptfan build"):
        open_runner(plan(runner(brighten)))
    with pytest.raises(BackendError, match="TensorRT for RTX does not list the Orin among its GPUs"):
        open_runner(plan(runner(brighten), gpu=None))


def test_code_in_a_plan_runs_only_when_it_is_trusted(
    plan: Callable, runner: Callable, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plan(runner(brighten), version_compatible=True)
    monkeypatch.delenv(TRUST_VARIABLE, raising=False)
    with pytest.raises(BackendError, match="carries code, which runs when it is loaded; set PTFAN_TRUST_PLANS=1"):
        TensorRTRunner(path)
    monkeypatch.setenv(TRUST_VARIABLE, "1")
    TensorRTRunner(path)
    assert tensorrt.runtime.engine_host_code_allowed
    TensorRTRunner(plan(runner(brighten)))
    assert not tensorrt.runtime.engine_host_code_allowed


def test_the_plugin_s_library_must_be_the_plan_s(
    plan: Callable, runner: Callable, tensorrt: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PLUGIN_VARIABLE, raising=False)
    library = tmp_path / "mine.so"
    library.write_bytes(b"library")
    path = plan(runner(brighten), plugin="library", plugin_sha256=file_sha256(library))
    with pytest.raises(BackendError, match=r"needs the libptfan_plugin.so that it was built with, there is none"):
        TensorRTRunner(path)
    (tmp_path / "libptfan_plugin.so").write_bytes(b"another")
    with pytest.raises(BackendError, match=r"libptfan_plugin.so is another; put it beside the plan, or name it by"):
        TensorRTRunner(path)
    monkeypatch.setenv(PLUGIN_VARIABLE, str(library))
    TensorRTRunner(path)
    assert tensorrt.libraries == [str(library)]
