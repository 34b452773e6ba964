"""What tests of the scripts share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def told(script: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what runs the script with a user's mistake, and returns the one line that it is told in."""

    def run(*arguments: object) -> str:
        assert script.main([str(argument) for argument in arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        lines = [line for line in captured.err.splitlines() if line.startswith("ptfan: error: ")]
        assert captured.err.splitlines()[-1:] == lines
        return lines[0]

    return run
