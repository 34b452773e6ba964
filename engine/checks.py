"""Checks of settings, which tell all mistakes alike: what is wrong, what was got, what is expected."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, get_args

from ptfan.engine.errors import InputError, PtfanError

__all__ = ["check_choice", "check_numbers", "check_whole"]


def check_choice(what: str, value: object, choices: Any, raised: type[PtfanError] = InputError) -> None:
    """Check that a value is one of those that there are.

    Args:
        what: its name, as its user knows it.
        value: the value.
        choices: the type that says which there are, a `Literal`.
        raised: the error of another one.

    Raises:
        PtfanError: it is none of them.
    """
    names = get_args(choices)
    if value not in names:
        raise raised(f"{what} is {value!r}, expected one of {', '.join(names)}")


def check_numbers(
    what: str, settings: object, *names: str, least: float = 0, most: float | None = None, unit: str = ""
) -> None:
    """Check that what is to be a number is one, finite and in a range; None is none, and passes.

    Args:
        what: whose fields they are, how the error begins; may be empty.
        settings: what has them.
        names: the fields.
        least: where the range begins, itself included.
        most: where it ends, itself included; None leaves it open.
        unit: what they count, as the error names it.

    Raises:
        InputError: one is not.
    """
    counted, top = f" {unit}" if unit else "", math.inf if most is None else most
    expected = f"{least:g}{counted} or more" if most is None else f"{least:g} to {most:g}{counted}"
    for name in names:
        value = getattr(settings, name)
        if value is not None and not (
            isinstance(value, Real) and least <= float(value) <= top and math.isfinite(value)
        ):
            raise InputError(f"{what}{': ' if what else ''}{name} is {value!r}, expected {expected}")


def check_whole(settings: object, *names: str, least: int = 0) -> None:
    """Check that numbers are whole, NumPy's or Python's own, and so large at least; None is none, and passes.

    Args:
        settings: what has them.
        names: the fields.
        least: the smallest that is taken.

    Raises:
        InputError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and not (isinstance(value, Integral) and int(value) >= least):
            raise InputError(f"{name} is {value!r}, expected a whole number, {least} or more")
