"""What two models are compared on."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.verify.run import VerifySettings


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("frames", 0, "frames is 0, expected a whole number, 1 or more"),
        ("frames", 1.5, "frames is 1.5, expected a whole number, 1 or more"),
        ("least_psnr", math.nan, "least PSNR is nan, expected a number of dB"),
    ],
)
def test_settings_out_of_range_are_refused(field: str, value: Any, expected: str) -> None:
    with pytest.raises(InputError, match=f"^{expected}$"):
        VerifySettings(**{field: value})
