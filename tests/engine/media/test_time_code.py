from __future__ import annotations

from fractions import Fraction

import pytest

from ptfan.engine.media.time_code import later_code

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("code", "frames", "rate", "expected"),
    [
        ("01:00:00:00", 0, Fraction(25), "01:00:00:00"),
        ("01:00:00:20", 30, Fraction(25), "01:00:02:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("00:00:59:29", 1, NTSC, "00:01:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:59;59", 1, 2 * NTSC, "00:01:00;04"),
        ("01:00:00;00", 107892, NTSC, "02:00:00;00"),
        ("23:59:59;29", 1, NTSC, "00:00:00;00"),
        ("00:00:00:00", 3, Fraction(1, 5), "00:00:03:00"),
        ("about noon", 5, NTSC, "about noon"),
    ],
)
def test_codes_go_on(code: str, frames: int, rate: Fraction, expected: str):
    assert later_code(code, frames / rate, rate) == expected


@pytest.mark.parametrize(("mark", "rate", "dropped"), [(":", Fraction(24), 0), (";", NTSC, 2), (";", 2 * NTSC, 4)])
def test_every_frame_has_the_code_after_the_one_before(mark: str, rate: Fraction, dropped: int):
    """Beside counting up, which leaves the first numbers of each minute out, but of every tenth."""
    whole, code = round(rate), (0, 0, 0)
    for frame in range(1, 11 * 60 * whole):
        minute, second, number = code
        number += 1
        if number == whole:
            minute, second, number = minute + (second == 59), (second + 1) % 60, 0
            number = dropped if second == 0 and minute % 10 else 0
        code = minute, second, number
        assert later_code(f"00:00:00{mark}00", frame / rate, rate) == f"00:{minute:02}:{second:02}{mark}{number:02}"
