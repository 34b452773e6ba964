"""The training loop: seeded, resumable to the bit, on one device or many processes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ptfan.engine.errors import InputError, InterruptedRunError, PtfanError
from ptfan.engine.interrupts import STOPPING, stop_on_signals
from ptfan.training.runs.batch import StepSampler
from ptfan.training.runs.folder import RunFolder
from ptfan.training.runs.learner import Learner
from ptfan.training.runs.recorder import Recorder
from ptfan.training.runs.session_options import SessionOptions

__all__ = ["Progress", "Trainer"]

Samples = Dataset[dict[str, Tensor]]
"""Sample n is the same whenever it is asked for: tensors by name, (T, C, H, W) each, which `Learner.stack` knows."""


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    """Optimiser steps done."""
    seconds: float = 0.0
    """Time spent, over all sessions of the run."""
    sums: dict[str, float] = field(default_factory=dict)
    """Measures since the last entry of the log, added up."""
    summed: int = 0
    """Steps that they were added up over."""

    def add(self, values: Mapping[str, float]) -> None:
        """Add the measures of a step."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.summed += 1

    def take_means(self) -> dict[str, float]:
        """Return the means of what was added up, and begin anew."""
        means = {name: value / self.summed for name, value in self.sums.items()}
        self.sums, self.summed = {}, 0
        return means


class Trainer:
    """A run: samples in, a folder of results out. Every process of a run holds one; the first one writes."""

    def __init__(
        self,
        learner: Learner[Any, Any],
        samples: Samples,
        folder: RunFolder,
        *,
        record: Mapping[str, Any] | None = None,
        options: SessionOptions | None = None,
    ) -> None:
        """Take what is needed; go on from the folder's state if there is one.

        Args:
            learner: what learns.
            samples: what to learn from.
            folder: where results go.
            record: what checkpoints tell of the run, beside its settings.
            options: how often to do what.

        Raises:
            InputError: more steps are done than the settings ask for, or the batch cannot be shared.
        """
        self.learner, self.folder = learner, folder
        self.config, self.fabric = learner.config, learner.fabric
        self.progress = Progress()
        self._samples, self._record = samples, dict(record or {})
        self._options = options or SessionOptions()
        self._sampler = self._sampler_from(0)  # refuses a batch that cannot be shared before anything is computed
        self._restore()

    def train(self) -> None:
        """Train to the last step. SIGINT and SIGTERM save and stop.

        Raises:
            InterruptedRunError: a signal stopped it; the text says how to go on.
            DivergenceError: a loss, the gradient or a weight is not finite; the last state saved is kept.
        """
        if self.progress.step >= self.config.steps:
            return
        steps = self.config.steps
        recorder = self._recorder() if self.fabric.is_global_zero else None
        try:
            with stop_on_signals() as stop:
                self._train(recorder, stop)
        finally:
            if recorder is not None:
                recorder.close()
        if self.progress.step < steps:
            raise InterruptedRunError(
                f"training stopped after step {self.progress.step} of {steps}; "
                f"go on with: ptfan {self.config.command} --resume {self.folder.path}"
            )

    def save(self) -> None:
        """Write the state to go on from and the checkpoint to use.

        Raises:
            DivergenceError: a weight is not finite.
        """
        self.learner.check_finite(self.progress.step)
        if not self.fabric.is_global_zero:
            return
        progress = self.progress
        self.folder.write_state(
            {
                "learner": self.learner.state_dict(),
                "step": progress.step,
                "seconds": progress.seconds,
                "sums": progress.sums,
                "summed": progress.summed,
            }
        )
        record = self.record()
        self.learner.save(self.folder.checkpoint, record)
        if self._options.keep_every and progress.step % self._options.keep_every == 0:
            kept = self.folder.kept(progress.step)
            kept.parent.mkdir(exist_ok=True)
            self.learner.save(kept, record)

    def record(self) -> dict[str, Any]:
        """Return what checkpoints tell of their training."""
        return {
            "config": asdict(self.config),
            "step": self.progress.step,
            "seconds": round(self.progress.seconds),
            "torch": torch.__version__,
            **self._record,
        }

    def _restore(self) -> None:
        state = self.folder.read_state()
        if state is None:
            return
        self.learner.load_state_dict(state["learner"])
        self.progress = Progress(state["step"], state["seconds"], state["sums"], state["summed"])
        if self.progress.step > self.config.steps:
            raise InputError(
                f"{self.folder.path}: {self.progress.step} steps are done, the whole run cannot have "
                f"{self.config.steps}; ask for {self.progress.step} or more, or begin a new run"
            )

    def _recorder(self) -> Recorder:
        return Recorder(self.folder, self.config.steps, self.progress.step, self.learner.headline)

    def _train(self, recorder: Recorder | None, stop: threading.Event) -> None:
        samples = iter(self._loader())
        try:
            self._take_steps(samples, recorder, stop)
        finally:
            _end_workers(samples)

    def _take_steps(self, samples: Iterator[Any], recorder: Recorder | None, stop: threading.Event) -> None:
        started, passes = time.monotonic(), self._passes(samples)
        while self.progress.step < self.config.steps:
            with self._keeping():
                batches = next(passes)
            values, stopping = self.learner.step(batches, self.progress.step, stop=stop.is_set)
            self.progress.step += 1
            now = time.monotonic()
            self.progress.seconds += now - started
            started = now
            with self._keeping():
                self._tell(values, recorder)
            if stopping:
                break
            if self._due(self._options.save_every) or self._due(self._options.keep_every):
                self.save()
        self.save()

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        """Save before an error ends the run between two steps: a clip or a full disk does not cost what was learned."""
        try:
            yield
        except (PtfanError, OSError):
            self.save()
            raise

    def _tell(self, values: Mapping[str, float], recorder: Recorder | None) -> None:
        self.progress.add(values)
        step = self.progress.step
        if recorder is not None:
            recorder.advance(step, self.learner.measures(values))
            if self._due(self._options.save_every):
                recorder.picture(self.learner.picture(), step)
        if not self._due(self._options.log_every):
            return
        means = self.learner.measures(self.progress.take_means())
        entry = {"step": step, "seconds": round(self.progress.seconds, 1), "rate": self.learner.rate(step - 1)}
        if recorder is not None:
            recorder.entry(entry | {name: round(value, 5) for name, value in means.items()})

    def _due(self, every: int) -> bool:
        return every > 0 and self.progress.step % every == 0

    def _sampler_from(self, step: int) -> StepSampler:
        return StepSampler(self.config, step, rank=self.fabric.global_rank, world=self.fabric.world_size)

    def _loader(self) -> DataLoader[Any]:
        """Return what makes the samples of the steps that are still to be done."""
        workers = self._options.workers
        return DataLoader(
            self._samples,
            batch_sampler=self._sampler_from(self.progress.step),
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            worker_init_fn=_leave_signals_to_the_trainer,
            pin_memory=self.fabric.device.type == "cuda",
            generator=torch.Generator().manual_seed(self.config.seed),  # else the loader draws from torch's own
        )

    def _passes(self, samples: Iterator[Any]) -> Iterator[list[Any]]:
        """Yield the passes of each of these steps."""
        for step in range(self.progress.step, self.config.steps):
            yield [
                self.learner.stack(_next(samples), self._sampler.first(step, number))
                for number in range(self.config.accumulate)
            ]


def _next(samples: Iterator[Any]) -> Any:
    """Return the next samples. An error from a worker has its whole traceback as its text: the text itself ends it."""
    try:
        return next(samples)
    except PtfanError as error:
        kind = type(error)
        raise kind(str(error).rstrip().rpartition(f"{kind.__qualname__}: ")[2]) from error


def _end_workers(samples: Iterator[Any]) -> None:
    """End the processes that make samples. They ignore signals, and while an error is told it would hold them."""
    end = getattr(samples, "_shutdown_workers", None)  # torch has no public name for it; without workers there is none
    if end is not None:
        end()


def _leave_signals_to_the_trainer(worker: int) -> None:
    """Ignore what stops a run in a process that makes samples: the trainer still needs some to finish its step."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
