from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ptfan.engine.errors import InputError
from ptfan.training.checkpoint import load_checkpoint
from ptfan.training.config import TrainConfig
from ptfan.training.data import ClipCache
from ptfan.training.loop import Trainer
from ptfan.training.model.config import GeneratorConfig, Stage

TINY = GeneratorConfig(
    name="tiny",
    stem_width=8,
    stem_kernel=3,
    stages=(Stage(4, (1,)), Stage(4, (1,), stride=2), Stage(4, (1,)), Stage(4, (2,))),
    decoder="light",
    decoder_widths=(16, 16),
    fill="propagated",
)
CONFIG = TrainConfig(
    steps=6,
    batch=1,
    frames=3,
    size=(48, 32),
    warmup=2,
    learning_rate=5e-3,
    average=0.9,
    freeze_norm_after=0.5,
    bfloat16=False,
)
TIMES = ("seconds",)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def cache(tmp_path: Path) -> ClipCache:
    """Return one clip of waves that move."""
    y, x = np.mgrid[0:40, 0:56]
    frames = [
        np.stack([np.sin((x + 3 * t) / 9), np.cos((y + t) / 7), np.sin((x + y) / 13)], axis=-1) for t in range(12)
    ]
    np.save(tmp_path / "waves.npy", (127 + 100 * np.stack(frames)).astype(np.uint8))
    return ClipCache((tmp_path / "waves.npy",))


@pytest.fixture
def start(cache: ClipCache, tmp_path: Path) -> Callable[..., Trainer]:
    def build(name: str, config: TrainConfig = CONFIG, **options: Any) -> Trainer:
        return Trainer(config, cache, tmp_path / name, **{"architecture": TINY, **options})

    return build


def train(trainer: Trainer, *, workers: int = 0, log_every: int = 1) -> Trainer:
    trainer.train(workers=workers, save_every=1000, log_every=log_every)
    return trainer


def log(trainer: Trainer) -> list[dict[str, float]]:
    """Return the log without times."""
    lines = (trainer.run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


def same_state(a: Trainer, b: Trainer) -> bool:
    for name in ("network", "averaged"):
        first, second = getattr(a, name).state_dict(), getattr(b, name).state_dict()
        if not all(torch.equal(first[key], second[key]) for key in first):
            return False
    return True


def stopping(trainer: Trainer, step: int, sign: signal.Signals) -> Trainer:
    """Send the trainer a signal in the middle of a step."""
    whole = trainer._step

    def interrupted(batch: dict[str, torch.Tensor]) -> dict[str, float]:
        losses = whole(batch)
        if trainer.progress.step == step:
            signal.raise_signal(sign)
        return losses

    trainer._step = interrupted  # type: ignore[method-assign]
    return trainer


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(start: Callable[..., Trainer], sign: signal.Signals) -> None:
    straight = train(start("straight"))
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    first = train(stopping(start("halves"), 2, sign))
    assert first.progress.step == 2
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    second = start("halves")
    assert second.progress.step == 2
    assert second.progress.seconds == pytest.approx(first.progress.seconds)
    train(second)
    assert second.progress.step == 6
    assert log(second) == log(straight)
    assert same_state(second, straight)


def test_a_stopped_trainer_can_itself_go_on(start: Callable[..., Trainer]) -> None:
    trainer = train(stopping(start("one"), 3, signal.SIGINT))
    assert train(trainer).progress.step == 6


def test_the_seed_decides(start: Callable[..., Trainer]) -> None:
    config = replace(CONFIG, steps=2)
    first, again = train(start("first", config)), train(start("again", config))
    other = train(start("other", replace(config, seed=1)))
    assert log(first) == log(again) != log(other)
    assert same_state(first, again)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_worker_processes_change_nothing(start: Callable[..., Trainer]) -> None:
    config = replace(CONFIG, steps=2)
    here, workers = train(start("here", config)), train(start("workers", config), workers=1)
    assert log(here) == log(workers)


def test_a_finished_run_stays_as_it_is(start: Callable[..., Trainer]) -> None:
    config = replace(CONFIG, steps=2)
    finished = train(start("run", config))
    again = train(start("run", config))
    assert again.progress.step == 2
    assert same_state(finished, again)


def test_other_settings_are_refused_and_the_old_ones_kept(start: Callable[..., Trainer]) -> None:
    config = replace(CONFIG, steps=1)
    run = train(start("run", config)).run
    with pytest.raises(InputError, match=r"started with other settings \(learning_rate, seed\); take a new folder"):
        start("run", replace(config, seed=4, learning_rate=0.1))
    assert TrainConfig.read(run / "config.json") == config
    assert train(start("run", replace(config, steps=2))).progress.step == 2  # a run may be lengthened
    assert TrainConfig.read(run / "config.json").steps == 2


def test_the_checkpoint_is_the_average_and_tells_how_it_came_to_be(start: Callable[..., Trainer]) -> None:
    trainer = train(start("run", replace(CONFIG, steps=3)))
    checkpoint = load_checkpoint(trainer.run / "checkpoint.safetensors")
    assert checkpoint.config == TINY
    averaged = trainer.averaged.state_dict()
    assert all(torch.equal(checkpoint.state[key], averaged[key]) for key in averaged)
    assert checkpoint.record["step"] == 3
    assert checkpoint.record["clips"] == ["waves"]
    assert TrainConfig.from_json(json.dumps(checkpoint.record["config"])) == trainer.config


def test_the_average_follows_the_weights(start: Callable[..., Trainer]) -> None:
    trainer = start("run", replace(CONFIG, steps=2, average=0.5))
    name = "encoder.stem.weight"
    expected = trainer.network.state_dict()[name].clone()
    whole = trainer._update_average

    def followed() -> None:
        nonlocal expected
        whole()
        decay = min(0.5, (1 + trainer.progress.step) / (10 + trainer.progress.step))
        expected = decay * expected + (1 - decay) * trainer.network.state_dict()[name]

    trainer._update_average = followed  # type: ignore[method-assign]
    train(trainer)
    torch.testing.assert_close(trainer.averaged.state_dict()[name], expected)
    assert not torch.equal(expected, trainer.network.state_dict()[name])


def test_the_rate_rises_and_falls(start: Callable[..., Trainer]) -> None:
    trainer = start("run", replace(CONFIG, steps=100, warmup=10, learning_rate=1.0))
    rates = []
    for step in range(101):
        trainer.progress.step = step
        rates.append(trainer._rate())
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.505)
    assert rates[100] == pytest.approx(0.01)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_batch_norm_is_frozen_late(start: Callable[..., Trainer]) -> None:
    trainer = start("run", replace(CONFIG, steps=4, freeze_norm_after=0.5))
    means = []
    whole = trainer._step

    def watched(batch: dict[str, torch.Tensor]) -> dict[str, float]:
        losses = whole(batch)
        means.append(trainer.network.state_dict()["encoder.norm.running_mean"].clone())
        return losses

    trainer._step = watched  # type: ignore[method-assign]
    train(trainer)
    assert not torch.equal(means[0], means[1])
    assert torch.equal(means[1], means[2])
    assert torch.equal(means[2], means[3])


def test_a_step_in_bfloat16(start: Callable[..., Trainer]) -> None:
    trainer = train(start("run", replace(CONFIG, steps=1, bfloat16=True)))
    assert np.isfinite(log(trainer)[0]["hole"])


def test_a_tiny_network_learns_one_clip(start: Callable[..., Trainer]) -> None:
    """From holes that are black: 60 steps bring the mean error in the hole from 0.4 to below 0.2."""
    config = replace(CONFIG, steps=60, warmup=5, freeze_norm_after=1.0)
    trainer = train(start("run", config, architecture=replace(TINY, fill="zero")), log_every=20)
    first, *_, last = log(trainer)
    assert first["input_hole"] > 0.3
    assert last["hole"] < 0.2
    assert last["hole"] < 0.85 * first["hole"]
