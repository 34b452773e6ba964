from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return the script as a module."""
    return load_script("benchmarks/torch_latency.py")


def test_a_size_that_is_none(told: Callable[..., str]) -> None:
    assert "size '432': expected WxH" in told("--size", "432")
