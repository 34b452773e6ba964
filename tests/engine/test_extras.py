from __future__ import annotations

from typing import Any

import pytest

from ptfan.engine.extras import EXTRAS, missing_extra


@pytest.mark.parametrize(
    ("library", "command", "line"),
    [
        ("torch", "train", "ptfan train needs torch, which is not installed: pip install 'ptfan[train]'"),
        (
            "torch.nn.functional",
            "export",
            "ptfan export needs torch, which is not installed: pip install 'ptfan[export]'",
        ),
        ("openvino", "", "this needs openvino, which is not installed: pip install 'ptfan[openvino]'"),
        ("onnxruntime", "", "this needs onnxruntime, which is not installed: pip install 'ptfan[cpu]'"),
    ],
)
def test_the_line_that_brings_the_library(library: str, command: str, line: str) -> None:
    error = missing_extra(ModuleNotFoundError("no", name=library), command)
    assert str(error) == line
    assert isinstance(error, ImportError)


def test_other_libraries_are_no_extras() -> None:
    assert missing_extra(ModuleNotFoundError("no", name="nonsense")) is None
    assert missing_extra(ImportError("cannot import name 'x'")) is None


def test_the_extras_exist_and_bring_what_they_should(pyproject: dict[str, Any]) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    for library, extra in EXTRAS.items():
        assert any(line.startswith(library.replace("_", "-")) for line in extras[extra]), library
