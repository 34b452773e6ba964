from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import default_collate

from ptfan.engine.errors import DivergenceError
from ptfan.training.generator.config import LossConfig, TrainConfig
from ptfan.training.generator.learner import GeneratorLearner
from ptfan.training.model.config import GeneratorConfig
from ptfan.training.runs.batch import Batch, StepSampler
from ptfan.training.runs.fabric import open_fabric

CONFIG = TrainConfig(
    steps=4,
    batch=2,
    freeze_norm_after=0.0,
    losses=LossConfig(frame=0.5, adversarial=0.2, discriminator_width=4),
)
"""Batch norm is left out: each process normalises by its own clips."""
pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def learn(config: TrainConfig, tiny: GeneratorConfig, samples: Any, steps: int = 2) -> dict[str, Any]:
    """Train for some steps in this process, be it one of many or alone; return state and measures."""
    fabric = open_fabric()
    learner = GeneratorLearner(config, tiny, fabric)
    sampler = StepSampler(config, rank=fabric.global_rank, world=fabric.world_size)
    measures, gradients = [], []
    for step in range(steps):
        batches = []
        for number in range(config.accumulate):
            first = sampler.first(step, number)
            clips = default_collate([samples[index] for index in range(first, first + sampler.size)])
            batches.append(Batch.stack(clips, first, fabric.device))
        measures.append(learner.step(batches, step, stop=lambda: fabric.global_rank == 1)[0])
        gradients.append({name: value.grad.clone() for name, value in learner.network.named_parameters()})  # type: ignore[union-attr]
    state = learner.state_dict()
    return {"measures": measures, "gradients": gradients, **{name: state[name] for name in ("generator", "adversary")}}


def in_two_processes(folder: Path, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Run a function in two joined processes; return what each returned."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_join, args=(folder, rank, port, work, arguments)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    told = [(folder / f"{rank}.txt").read_text(encoding="utf-8") for rank in (0, 1)]
    assert [process.exitcode for process in processes] == [0, 0], "\n".join(told)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


def _join(folder: Path, rank: int, port: int, work: Callable[..., Any], arguments: Any) -> None:
    # What torchrun tells its processes.
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    with (folder / f"{rank}.txt").open("w", encoding="utf-8") as told:
        sys.stdout = sys.stderr = told
        try:
            torch.save(work(*arguments), folder / f"{rank}.pt")
            torch.distributed.destroy_process_group()
        except BaseException:
            traceback.print_exc()
            told.flush()
            os._exit(1)
    os._exit(0)  # nothing of the tests' own process is tidied up here


def flat(value: Any, path: str = "") -> dict[str, torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return {name: tensor for key, part in items for name, tensor in flat(part, f"{path}.{key}").items()}


def assert_equal(a: dict[str, Any], b: dict[str, Any], *, atol: float, rtol: float = 1e-3) -> None:
    first, second = flat(a), flat(b)
    assert list(first) == list(second)
    for name, value in first.items():
        close = torch.allclose(value, second[name], atol=atol, rtol=rtol)
        assert close, f"{name} differs by up to {(value - second[name]).abs().max()}"


def test_two_processes_learn_what_one_learns_from_both_their_clips(
    tiny: GeneratorConfig, waves: Any, tmp_path: Path
) -> None:
    alone = learn(CONFIG, tiny, waves())
    first, second = in_two_processes(tmp_path, learn, CONFIG, tiny, waves())
    for name in ("gradients", "generator", "adversary"):
        assert_equal(first[name], second[name], atol=0.0, rtol=0.0)
    assert any(bool(value.any()) for value in flat(alone["gradients"]).values())
    # Sums in another order differ in their last digits, and Adam's first steps are as long for small gradients.
    assert_equal(first["gradients"][0], alone["gradients"][0], atol=2e-6)
    assert_equal(first["generator"], alone["generator"], atol=1e-4)
    for found, expected in zip(first["measures"], alone["measures"], strict=True):
        assert found == pytest.approx(expected, rel=1e-3)


def test_two_passes_are_like_one(tiny: GeneratorConfig, waves: Any) -> None:
    whole, parts = learn(CONFIG, tiny, waves()), learn(replace(CONFIG, accumulate=2), tiny, waves())
    assert_equal(parts["gradients"][0], whole["gradients"][0], atol=2e-6)
    assert_equal(parts["generator"], whole["generator"], atol=1e-4)


def test_processes_stay_equal_while_each_normalises_its_own_clips(
    tiny: GeneratorConfig, waves: Any, tmp_path: Path
) -> None:
    live = replace(CONFIG, freeze_norm_after=1.0, losses=LossConfig())
    alone = [learn(replace(live, batch=1), tiny, Shifted(waves(), start), steps=1) for start in (0, 1)]
    first, second = in_two_processes(tmp_path, learn, live, tiny, waves(), 1)
    assert_equal(first["generator"], second["generator"], atol=0.0, rtol=0.0)
    name = "encoder.norm.running_var"
    mean = (alone[0]["generator"][name] + alone[1]["generator"][name]) / 2
    torch.testing.assert_close(first["generator"][name], mean)


class Shifted:
    """The same samples from another one on."""

    def __init__(self, samples: Any, start: int) -> None:
        self._samples, self._start = samples, start

    def __getitem__(self, index: int) -> Any:
        return self._samples[index + self._start]


def agree(config: TrainConfig, tiny: GeneratorConfig, samples: Any) -> list[Any]:
    """Ask one process to stop; then give the other one a clip that is broken."""
    fabric = open_fabric()
    learner = GeneratorLearner(config, tiny, fabric)
    batch = Batch.stack(default_collate([samples[fabric.global_rank]]), fabric.global_rank, fabric.device)
    _, stopping = learner.step([batch], 0, stop=lambda: fabric.global_rank == 1)
    if fabric.global_rank == 0:
        batch.target[0, 0, 3, 3] = torch.nan
    try:
        learner.step([batch], 1)
    except DivergenceError as error:
        return [stopping, str(error).partition(",")[0]]
    return [stopping, "went on"]


def test_processes_agree_on_when_to_stop(tiny: GeneratorConfig, waves: Any, tmp_path: Path) -> None:
    both = in_two_processes(tmp_path, agree, CONFIG, tiny, waves())
    assert both == [[True, "training: loss is nan in step 2"]] * 2
