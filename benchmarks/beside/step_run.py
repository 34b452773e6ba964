"""Steps of one of our networks, without torch in the process: `python -m beside.step_run JSON`."""

from __future__ import annotations

from typing import Any

from beside.process import answer, timed
from ptfan.engine.bench.subject import Subject
from ptfan.engine.runners.backends import Backend
from ptfan.engine.runners.choice import open_model

__all__ = ["step_run"]

WARM_UP = 2
"""Steps before those that count."""


def step_run(model: str, backend: Backend, width: int, height: int, frames: int) -> dict[str, Any]:
    """Show a step model whole frames, one after another; return what they took.

    Args:
        model: its name or file.
        backend: as `--backend` takes it.
        width: of the frames, pixels.
        height: of the frames, pixels.
        frames: how many.
    """
    with open_model(model, backend=backend) as runner:
        subject = Subject(model, runner, (width, height))
        for _ in range(WARM_UP):
            subject.call()
        found = timed(lambda: [subject.call() for _ in range(frames)], frames)
        by = f"ONNX Runtime (CPU), {runner.spec.numbers}"
        return {"flop": subject.work.flop, "parameters": runner.spec.parameters, "by": by, **found}


if __name__ == "__main__":
    raise SystemExit(answer(step_run))
