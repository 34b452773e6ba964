"""The names that `import ptfan` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ptfan
from ptfan.engine.pipeline import inpaint


def test_every_name_is_there_and_is_the_runtimes_own() -> None:
    found = {name: getattr(ptfan, name) for name in ptfan.__all__}
    assert found["inpaint"] is inpaint
    assert all(value.__module__.startswith("ptfan.engine.") for name, value in found.items() if name != "__version__")
    assert all(value.__name__ == name for name, value in found.items() if name != "__version__")
    assert set(ptfan.__all__) <= set(dir(ptfan))


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="module 'ptfan' has no attribute 'outpaint'"):
        ptfan.outpaint()  # type: ignore[attr-defined]  # type checkers know it as well


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, ptfan; print(*(name for name in ('numpy', 'av', 'cv2', 'ptfan.engine') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
