"""`ptfan train`: from a folder of videos to a checkpoint."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import torch

from ptfan.engine.errors import BackendError
from ptfan.training.config import TrainConfig
from ptfan.training.data import ClipCache, clip_list
from ptfan.training.loop import Trainer
from ptfan.training.pictures import draw_curves

__all__ = ["progress_line", "run_training"]

DEFAULT_CONFIG = Path(__file__).parent / "configs" / "s.json"


def run_training(
    *,
    data: Path,
    run: Path,
    config: Path | None,
    clips: Path | None,
    cache: Path | None,
    device: str,
    threads: int,
    workers: int,
) -> None:
    """Train, or go on training; the arguments are those of the command.

    Raises:
        InputError: the data or the settings cannot be used.
        BackendError: the device is not there.
    """
    settings = TrainConfig.read(config or DEFAULT_CONFIG)
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise BackendError(f"device {device}: torch {torch.__version__} finds no CUDA GPU here; use --device cpu")
    if threads:
        torch.set_num_threads(threads)
    decoded = ClipCache.build(data, cache or run / "cache", clip_list(clips))
    trainer = Trainer(settings, decoded, run, device=device)
    trainer.train(workers=workers, report=lambda entry: print(progress_line(entry, settings.steps), flush=True))
    if (run / "log.jsonl").exists():
        draw_curves(run / "log.jsonl", run / "curves.png")


def progress_line(entry: dict[str, float], steps: int) -> str:
    """Return one line for people: where the run stands, its losses in the hole, and the time left at its usual pace."""
    done = int(entry["step"])
    left = timedelta(seconds=round(entry["seconds"] / done * (steps - done)))
    return (
        f"step {done}/{steps}: fill {entry['hole']:.4f}, propagated input {entry['input_hole']:.4f}, "
        f"{entry['seconds'] / done:.2f} s a step, {left} left"
    )
