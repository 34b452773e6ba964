from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.media.span import EVERYTHING, Span


def test_a_decimal_means_the_decimal():
    assert Span.of(0.1, 2.3) == Span(Fraction(1, 10), Fraction(23, 10))


@given(st.fractions(0, 100), st.fractions(0, 100), st.fractions(0, 100))
def test_a_moment_is_before_in_or_after(start: Fraction, length: Fraction, time: Fraction):
    span = Span(start, start + length + 1)
    assert span.end is not None
    assert span.is_before(time) + span.is_after(time) + (start <= time < span.end) == 1


def test_nothing_is_outside_everything():
    assert not EVERYTHING.is_before(Fraction(-5))
    assert not EVERYTHING.is_after(Fraction(10**9))


@pytest.mark.parametrize(
    ("start", "end", "words"), [(-1, None, "start"), (None, -2, "end"), (2, 2, "nothing is left"), (3, 1, "not after")]
)
def test_what_cannot_be_is_refused(start: float | None, end: float | None, words: str):
    with pytest.raises(InputError, match=words):
        Span.of(start, end)


def test_what_is_no_number_is_refused():
    with pytest.raises(InputError, match="number of seconds"):
        Span.of(float("nan"), None)
