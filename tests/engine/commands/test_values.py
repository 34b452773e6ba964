"""What people type, read into values."""

from __future__ import annotations

import pytest

from ptfan.engine.commands.values import parse_pixels, parse_size, read_backend, read_boxes
from ptfan.engine.errors import InputError
from ptfan.engine.frame import Box


def test_boxes_are_read_from_text() -> None:
    assert read_boxes(None) == []
    assert read_boxes(["1, -2,30,4", "0,0,1,1"]) == [Box(1, -2, 30, 4), Box(0, 0, 1, 1)]
    for text in ("", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,-3,4", "1.5,2,3,4", "1 2 3 4"):
        with pytest.raises(InputError, match="expected X,Y,W,H"):
            read_boxes([text])
    for text in ("1,2,0,4", "1,2,3,0"):
        with pytest.raises(InputError, match=r"^text .*no pixels"):
            read_boxes([text], "text")


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
