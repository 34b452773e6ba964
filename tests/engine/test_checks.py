"""What settings are checked by."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Literal

import numpy as np
import pytest

from ptfan.engine.checks import check_choice, check_numbers, check_whole
from ptfan.engine.errors import InputError, ModelError


def test_a_choice_is_one_of_those_that_there_are() -> None:
    check_choice("kind", "a", Literal["a", "b"])
    with pytest.raises(ModelError, match=r"^kind is 'c', expected one of a, b$"):
        check_choice("kind", "c", Literal["a", "b"], ModelError)


@pytest.mark.parametrize(
    ("least", "most", "inside", "outside", "expected"),
    [
        (0, None, (0, 0.5, 1e30, None), (-1e-9, math.inf, math.nan, "4"), "0 or more"),
        (1, None, (1, 2), (0, -math.inf), "1 or more"),
        (0, 0.5, (0, 0.5, None), (0.51, -1, math.inf, math.nan), "0 to 0.5"),
    ],
)
def test_numbers_lie_in_their_range(
    least: float, most: float | None, inside: tuple[float | None, ...], outside: tuple[object, ...], expected: str
) -> None:
    for value in inside:
        check_numbers("test", SimpleNamespace(first=least, second=value), "first", "second", least=least, most=most)
    for wrong in outside:
        with pytest.raises(InputError, match=rf"^test: second is {wrong!r}, expected {expected}$"):
            check_numbers("test", SimpleNamespace(first=least, second=wrong), "first", "second", least=least, most=most)


def test_what_numbers_count_is_named() -> None:
    for most, expected in ((None, "1 seconds or more"), (2, "1 to 2 seconds")):
        with pytest.raises(InputError, match=rf"^wait is 0, expected {expected}$"):
            check_numbers("", SimpleNamespace(wait=0), "wait", least=1, most=most, unit="seconds")


def test_whole_numbers_may_be_numpy_s() -> None:
    for value in (1, 7, np.int64(2), np.uint8(3), None):
        check_whole(SimpleNamespace(threads=value), "threads", least=1)
    for wrong in (0, -1, 1.5, 2.0, math.nan, "4", [4], np.float32(1)):
        with pytest.raises(
            InputError, match=rf"^threads is {re.escape(repr(wrong))}, expected a whole number, 1 or more$"
        ):
            check_whole(SimpleNamespace(threads=wrong), "threads", least=1)
