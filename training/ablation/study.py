"""`ptfan ablate`: train every variant, evaluate all, write one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ptfan.engine.errors import InputError
from ptfan.engine.folders import make_folder
from ptfan.engine.frame import Mask
from ptfan.engine.models import file_sha256
from ptfan.engine.progress import tell
from ptfan.training.ablation.inference import filled
from ptfan.training.ablation.rows import BUDGET, Row, choose_rows, trained_with
from ptfan.training.ablation.table import ablation_table
from ptfan.training.checkpoint import build, load_checkpoint
from ptfan.training.data.pixels import Pixels
from ptfan.training.evaluation.evaluator import Evaluator
from ptfan.training.evaluation.journal import Journal
from ptfan.training.evaluation.measures import Weights, choose_measures
from ptfan.training.evaluation.methods import Method
from ptfan.training.evaluation.pictures import PictureStore
from ptfan.training.evaluation.protocols import open_benchmark
from ptfan.training.evaluation.report import Mean, means, write_scores
from ptfan.training.generator.config import TrainConfig
from ptfan.training.generator.run import GeneratorSubject
from ptfan.training.model import Generator
from ptfan.training.runs.arguments import Arguments
from ptfan.training.runs.data import DataSource
from ptfan.training.runs.folder import RunFolder
from ptfan.training.runs.run import resume_run, start_run

__all__ = ["AblationSettings", "run_ablation"]


@dataclass(frozen=True, kw_only=True)
class AblationSettings:
    """What `ptfan ablate` was asked for."""

    data: Path
    """The clips to train on."""
    evaluation: Path
    """The clips to evaluate on."""
    config: str | None = None
    """Settings of every training, a name or a file; None takes the small budget of `rows.BUDGET`."""
    steps: int | None = None
    """Steps of every training; None takes the settings'."""
    seed: int = 0
    """Seed of every training and of the evaluation's holes."""
    only: tuple[str, ...] = ()
    """Rows to fill beside the reference; all if empty."""
    kinds: tuple[str, ...] = ("box", "free-form")
    """Holes of the evaluation."""
    frames: int = 16
    """The most frames of an evaluated clip."""
    size: tuple[int, int] = (216, 120)
    """(width, height) of the evaluation in pixels, multiples of 8."""
    device: str = "cpu"
    """Where to train."""
    threads: int = 1
    """Threads of torch."""
    workers: int = 1
    """Processes that make samples."""

    def __post_init__(self) -> None:
        if any(side < 8 or side % 8 for side in self.size):
            raise InputError(f"ablation: size is {self.size[0]}x{self.size[1]}, expected multiples of 8")

    def base(self) -> TrainConfig:
        """Return the reference's settings."""
        config = TrainConfig.read(self.config) if self.config else BUDGET
        steps = self.steps or config.steps
        warmup = min(config.schedule.warmup, max(1, steps // 10))
        return replace(config, steps=steps, seed=self.seed, schedule=replace(config.schedule, warmup=warmup))


def run_ablation(settings: AblationSettings, output: Path) -> str:
    """Train what is not trained yet, evaluate what is not evaluated yet; return the table.

    Args:
        settings: what to compare.
        output: gets `runs/`, `evaluation/`, `ablation.md` and `ablation.json`.

    Raises:
        InputError: the folder holds an ablation of other settings, or something named cannot be used.
        InterruptedRunError: a signal stopped a training; a second call goes on.
    """
    rows = choose_rows(settings.only)
    base = settings.base()
    _same_budget(output, base, settings)
    checkpoints = {name: _trained(name, base, settings, output) for name in dict.fromkeys(row.training for row in rows)}
    averages = _evaluated(rows, checkpoints, settings, output / "evaluation")
    seconds = {name: float(load_checkpoint(path).record["seconds"]) for name, path in checkpoints.items()}
    table = ablation_table(rows, averages, base, seconds)
    (output / "ablation.md").write_text(table, encoding="utf-8")
    about = {"rows": [asdict(row) for row in rows], "config": asdict(base), "seconds": seconds}
    write_scores(output / "ablation.json", about, averages, ())
    return table


def _same_budget(output: Path, base: TrainConfig, settings: AblationSettings) -> None:
    """Refuse a folder whose variants were trained by other settings: rows of one table must be comparable."""
    path = output / "base.json"
    text = json.dumps({"data": str(settings.data.resolve()), "config": asdict(base)}, indent=1) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise InputError(f"ablation: {output} was begun with other data or settings of training; take a new folder")
    make_folder(output)
    path.write_text(text, encoding="utf-8")


def _trained(name: str, base: TrainConfig, settings: AblationSettings, output: Path) -> Path:
    """Train a variant, go on with it, or find it finished; return its checkpoint."""
    folder, config = RunFolder(output / "runs" / name), trained_with(base, name)
    if folder.checkpoint.exists() and load_checkpoint(folder.checkpoint).record.get("step") == config.steps:
        return folder.checkpoint
    tell(f"training {name}: {config.steps} steps")
    machine: dict[str, Any] = {name: getattr(settings, name) for name in ("device", "threads", "workers")}
    if folder.config.exists():
        resume_run(GeneratorSubject(), folder.path, **machine)
    else:
        source = DataSource(data=str(settings.data.resolve()), cache=str((output / "cache").resolve()))
        start_run(GeneratorSubject(), folder.path, config, Arguments(source=source, **machine))
    return folder.checkpoint


def _evaluated(
    rows: Sequence[Row], checkpoints: dict[str, Path], settings: AblationSettings, output: Path
) -> list[Mean]:
    benchmark = open_benchmark(
        settings.evaluation, "folder", kinds=settings.kinds, frames=settings.frames, seed=settings.seed, ratio=35
    )
    width, height = settings.size
    benchmark = replace(benchmark, size=settings.size, identity=f"{benchmark.identity} {width}x{height}")
    methods = [_method(row, checkpoints[row.training]) for row in rows]
    make_folder(output)
    measures = choose_measures(None, Weights())
    evaluator = Evaluator(benchmark, methods, measures, Journal(output), PictureStore(output / "frames"))
    scores = evaluator.run()
    evaluator.pictures.sheets(scores, output)
    return means(scores, {})


def _method(row: Row, checkpoint: Path) -> Method:
    """Return a row as a method; its network is read when it is first needed."""
    loaded: list[Generator] = []

    def fill(images: Sequence[Pixels], holes: Sequence[Mask]) -> list[Pixels]:
        if not loaded:
            loaded.append(build(checkpoint))
        return filled(loaded[0], images, holes, flow=row.flow, window=row.window)

    return Method(row.name, f"{file_sha256(checkpoint)} {row.flow} {row.window}", fill)
