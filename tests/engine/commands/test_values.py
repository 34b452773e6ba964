"""What people type, read into values."""

from __future__ import annotations

import pytest

from ptfan.engine.commands.values import parse_box, parse_pixels, parse_size, read_backend
from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box


def test_a_box_is_read_from_text() -> None:
    assert parse_box("1, -2,30,4") == Box(1, -2, 30, 4)
    for text in ("", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,-3,4", "1.5,2,3,4", "1 2 3 4"):
        with pytest.raises(InputError, match="expected X,Y,W,H"):
            parse_box(text)
    for text in ("1,2,0,4", "1,2,3,0"):
        with pytest.raises(InputError, match="no pixels"):
            parse_box(text)


def test_a_size_is_read_from_text() -> None:
    assert parse_size("432x240") == parse_pixels("432X240") == (432, 240)
    assert parse_size("native") == "native"
    assert parse_size(None) is None
    for text in ("", "432", "432x", "x240", "-4x4", "4.5x4", "432x240x3"):
        with pytest.raises(InputError, match="expected WxH or native"):
            parse_size(text)
    with pytest.raises(InputError, match="expected WxH, for instance"):
        parse_pixels("native")


def test_a_backend_goes_by_its_name() -> None:
    assert read_backend("auto") == "auto"
    with pytest.raises(InputError, match="'gpu': expected one of auto, "):
        read_backend("gpu")
