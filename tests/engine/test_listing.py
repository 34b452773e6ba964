from __future__ import annotations

from ptfan.engine.listing import listed


def test_what_is_left_out_is_told() -> None:
    assert listed([], 2) == ""
    assert listed([3], 2) == "3"
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b and more"
