from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.timecode import format_seconds, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", Fraction(0)),
        ("12.5", Fraction(25, 2)),
        (".5", Fraction(1, 2)),
        ("90", Fraction(90)),
        ("1:30", Fraction(90)),
        ("00:01:30.04", Fraction(9004, 100)),
        (" 2:00:00 ", Fraction(7200)),
        ("100:00:00", Fraction(360000)),
    ],
)
def test_times_as_people_write_them(text: str, seconds: Fraction) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "abc", "-1", "1:", ":1", "1:2:3:4", "1:60", "1:60:00", "1e3", "nan", "1,5", "."])
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="time"):
        parse_time(text)


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_reading_is_exact(hours: int, minutes: int, seconds: int, thousandths: int) -> None:
    text = f"{hours}:{minutes:02}:{seconds:02}.{thousandths:03}"
    assert parse_time(text) == hours * 3600 + minutes * 60 + seconds + Fraction(thousandths, 1000)


@given(st.integers(0, 10**6))
def test_what_is_written_reads_back(seconds: int) -> None:
    assert parse_time(format_seconds(seconds)) == seconds


def test_lengths_are_written_short() -> None:
    assert [format_seconds(value) for value in (0.4, 59.6, 61, 3600, -1)] == ["0:00", "1:00", "1:01", "1:00:00", "0:00"]
