"""A network for tests that completes flow or colours, or finds text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ptfan.engine.runners.runner import Arrays, Runner
from ptfan.engine.spec import ModelSpec


class FakeHelper(Runner):
    """Answers as it is told to; every call's inputs are kept."""

    backend = "fake"

    def __init__(self, form: Any, answer: Callable[[Arrays], dict[str, NDArray[Any]]]) -> None:
        super().__init__(Path("fake.onnx"), ModelSpec(name="fake", form=form, window=6, stride=3, lookahead=0))
        self.answer = answer
        self.calls: list[Arrays] = []

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        self.calls.append(inputs)
        return self.answer(inputs)

    def close(self) -> None: ...
