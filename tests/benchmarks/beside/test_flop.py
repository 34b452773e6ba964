from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch")


def test_the_count_is_torchs_and_nothing_is_multiplied(load_script: Callable[[str], ModuleType]) -> None:
    layers = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(6, 5), torch.nn.Conv3d(1, 2, 3, stride=2)
    answers: list[Any] = []

    def call() -> None:
        with torch.no_grad():
            picture = layers[0](torch.ones(2, 3, 8, 8))
            answers.extend((picture, layers[1](picture), picture @ picture, layers[2](torch.ones(1, 1, 5, 5, 5))))

    counter = importlib.import_module("torch.utils.flop_counter").FlopCounterMode(display=False)
    with counter:
        call()
    assert load_script("benchmarks/beside/flop.py").count_flop(call) == counter.get_total_flops() > 0
    done, skipped = answers[:4], answers[4:]
    assert [answer.shape for answer in skipped] == [answer.shape for answer in done]
    assert all(answer.any() for answer in done)
    assert not any(answer.any() for answer in skipped)
