"""The training loop: seeded, resumable, on any device."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from ptfan.engine.errors import InputError
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.checkpoint import save_checkpoint
from ptfan.training.config import TrainConfig
from ptfan.training.data import ClipCache, ClipDataset
from ptfan.training.losses import reconstruction
from ptfan.training.model.config import GeneratorConfig, preset
from ptfan.training.model.generator import Generator

__all__ = ["Progress", "Trainer"]


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    """Optimiser steps done."""
    seconds: float = 0.0
    """Time spent, over all sessions of the run."""


class Trainer:
    """One run in one folder: `config.json`, `log.jsonl`, `state.pt` to resume from, `checkpoint.safetensors` to use."""

    def __init__(
        self,
        config: TrainConfig,
        cache: ClipCache,
        run: Path,
        *,
        device: str = "cpu",
        architecture: GeneratorConfig | None = None,
    ) -> None:
        """Start a run, or go on with the one in the folder.

        Args:
            config: the settings.
            cache: the clips to learn from.
            run: the run's folder.
            device: where to compute.
            architecture: the generator's; the settings' preset by default.

        Raises:
            InputError: the folder holds a run with other settings.
        """
        self.config, self.run, self.device = config, run, torch.device(device)
        torch.manual_seed(config.seed)
        self.network = Generator(architecture or preset(config.preset)).to(self.device)
        self.averaged = Generator(self.network.config).to(self.device).requires_grad_(False)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=config.learning_rate, weight_decay=1e-4)
        self.progress = Progress()
        self.cache = cache
        self._stop = False
        self._report: Callable[[dict[str, float]], None] = lambda entry: None
        run.mkdir(parents=True, exist_ok=True)
        if (run / "state.pt").exists():
            self._resume()
        (run / "config.json").write_text(config.to_json() + "\n", encoding="utf-8")

    def train(
        self,
        *,
        workers: int = 1,
        save_every: int = 250,
        log_every: int = 25,
        report: Callable[[dict[str, float]], None] = lambda entry: None,
    ) -> None:
        """Train to the last step, or until SIGINT or SIGTERM; the state is saved either way.

        Args:
            workers: processes that make samples.
            save_every: steps between two saves.
            log_every: steps between two entries of the log.
            report: called with every entry of the log.
        """
        self._report = report
        self._stop = False
        previous = {sign: signal.signal(sign, self._request_stop) for sign in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._train(workers, save_every, log_every)
        finally:
            self.save()
            for sign, handler in previous.items():
                signal.signal(sign, handler)

    def _train(self, workers: int, save_every: int, log_every: int) -> None:
        sums: dict[str, float] = {}
        summed = 0
        started = time.monotonic()
        for batch in self._batches(workers):
            losses = self._step(batch)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
            summed += 1
            now = time.monotonic()
            self.progress.seconds += now - started
            started = now
            if self.progress.step % log_every == 0:
                self._log({name: value / summed for name, value in sums.items()})
                sums, summed = {}, 0
            if self.progress.step % save_every == 0:
                self.save()
            if self._stop:
                break

    def _batches(self, workers: int) -> Iterator[dict[str, Tensor]]:
        """Yield the batches that are still to be trained on; a resumed run goes on with the very next sample."""
        config = self.config
        dataset = ClipDataset(
            self.cache,
            frames=config.frames,
            size=config.size,
            fill=self.network.config.fill,
            seed=config.seed,
            length=config.steps * config.batch,
        )
        rest = Subset(dataset, range(self.progress.step * config.batch, len(dataset)))
        return iter(
            DataLoader(rest, batch_size=config.batch, num_workers=workers, prefetch_factor=4 if workers else None)
        )

    def _step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        stacked = {name: value.flatten(0, 1).to(self.device) for name, value in batch.items()}
        self._set_mode()
        rate = self._rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.bfloat16):
            parts = self.network.forward_parts(*(stacked[name] for name in CLIP_INPUTS), clips=len(batch["frames"]))
        losses = reconstruction(parts, stacked["target"], stacked["hole"], self.config)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_gradient)
        self.optimizer.step()
        self.progress.step += 1
        self._update_average()
        blend = parts.blend_logit.detach().float().sigmoid() if parts.blend_logit is not None else torch.ones(1)
        inside = stacked["hole"] if parts.blend_logit is not None else torch.ones(1)
        values = {name: value.item() for name, value in losses.items()}
        input_error = (stacked["frames"] - stacked["target"]).abs() * stacked["hole"]
        values["input_hole"] = (input_error.sum() / (3 * stacked["hole"].sum()).clamp(min=1)).item()
        values["blend"] = ((blend * inside).sum() / inside.sum().clamp(min=1)).item()
        values["gradient"] = float(norm)
        return values

    def _set_mode(self) -> None:
        self.network.train()
        if self.progress.step >= self.config.freeze_norm_after * self.config.steps:
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def _rate(self) -> float:
        step, config = self.progress.step, self.config
        if step < config.warmup:
            return config.learning_rate * (step + 1) / config.warmup
        share = (step - config.warmup) / max(1, config.steps - config.warmup)
        return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))

    @torch.no_grad()
    def _update_average(self) -> None:
        # A young average would be dominated by the first, random weights.
        decay = min(self.config.average, (1 + self.progress.step) / (10 + self.progress.step))
        for mean, value in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    def _log(self, values: dict[str, float]) -> None:
        entry = {"step": self.progress.step, "seconds": round(self.progress.seconds, 1), "rate": self._rate()}
        entry |= {name: round(value, 5) for name, value in values.items()}
        with (self.run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        self._report(entry)

    def save(self) -> None:
        """Write the state to resume from and the checkpoint to use."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.progress.step,
            "seconds": self.progress.seconds,
        }
        partial = self.run / "state.partial.pt"
        torch.save(state, partial)
        partial.replace(self.run / "state.pt")
        save_checkpoint(self.run / "checkpoint.safetensors", self.averaged, self.record(), overwrite=True)

    def record(self) -> dict[str, Any]:
        """Return what the checkpoint tells of its training."""
        return {
            "config": json.loads(self.config.to_json()),
            "step": self.progress.step,
            "seconds": round(self.progress.seconds),
            "clips": self.cache.names(),
            "torch": torch.__version__,
        }

    def _resume(self) -> None:
        before, now = asdict(TrainConfig.read(self.run / "config.json")), asdict(self.config)
        # A run may be lengthened; any other change would make it a run that nobody can repeat.
        changed = [name for name in now if now[name] != before[name] and name != "steps"]
        if changed:
            raise InputError(
                f"training run: {self.run} was started with other settings ({', '.join(changed)}); take a new folder"
            )
        state = torch.load(self.run / "state.pt", map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(step=int(state["step"]), seconds=float(state["seconds"]))

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop = True
