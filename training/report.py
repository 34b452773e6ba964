"""`ptfan eval`: scores as JSON and Markdown, and a contact sheet to look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ptfan.engine.errors import InputError
from ptfan.engine.inpainter import InpaintSettings
from ptfan.training.baselines import BASELINES, Method
from ptfan.training.evaluation import Picture, Score, Task, evaluate, model_method, tasks
from ptfan.training.pictures import Shown, contact_row, write_sheet

__all__ = ["markdown_table", "run_evaluation"]


def run_evaluation(
    *,
    data: Path,
    output: Path,
    models: Sequence[str],
    baselines: Sequence[str],
    kinds: Sequence[str],
    frames: int,
    crop: bool,
) -> None:
    """Evaluate and write `scores.json`, `scores.md` and `sheet.jpg`; the arguments are those of the command.

    Raises:
        InputError: nothing to evaluate, an unknown baseline, or clips that cannot be used.
    """
    methods: dict[str, Method] = {}
    for name in baselines:
        if name not in BASELINES:
            raise InputError(f"baseline {name!r} is not known, expected one of {', '.join(BASELINES)}")
        methods[name] = BASELINES[name]
    methods |= {Path(name).stem: model_method(name, InpaintSettings(crop=crop)) for name in models}
    if not methods:
        raise InputError("nothing to evaluate: give --model or --baseline")
    output.mkdir(parents=True, exist_ok=True)
    rows: list[Shown] = []

    def finished(task: Task, results: dict[str, list[Picture]]) -> None:
        middle = len(task.truth) // 2
        shown = {name: pictures[middle] for name, pictures in results.items()}
        rows.append(contact_row(task.truth[middle], task.holes[middle], shown))
        print(f"{task.clip} ({task.kind}) done", flush=True)

    scores = evaluate(tasks(data, frames=frames, kinds=kinds), methods, finished=finished)
    (output / "scores.json").write_text(json.dumps([asdict(score) for score in scores], indent=1) + "\n")
    table = markdown_table(scores)
    (output / "scores.md").write_text(table)
    write_sheet(rows, output / "sheet.jpg")
    print(table)


def markdown_table(scores: Sequence[Score]) -> str:
    """Return the means over the clips, a row for each method and a column for each kind of hole."""
    kinds = list(dict.fromkeys(score.kind for score in scores))
    lines = ["| method | " + " | ".join(kinds) + " | seconds a frame |", "|" + "---|" * (len(kinds) + 2)]
    for method in dict.fromkeys(score.method for score in scores):
        mine = [score for score in scores if score.method == method]
        cells = []
        for kind in kinds:
            of_kind = [score for score in mine if score.kind == kind]
            quality = float(np.mean([score.psnr_hole for score in of_kind]))
            error = 1000 * float(np.mean([score.warping_error for score in of_kind]))
            cells.append(f"{quality:.2f} / {error:.2f}")
        seconds = float(np.mean([score.seconds for score in mine]))
        lines.append(f"| {method} | " + " | ".join(cells) + f" | {seconds:.3f} |")
    return "\n".join(lines) + "\n"
