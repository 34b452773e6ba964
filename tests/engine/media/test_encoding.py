from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.media.encoding import Encoding


@pytest.mark.parametrize("quality", [-1, 52, 99, "16"])
def test_a_quality_off_the_scale_is_refused(quality: Any) -> None:
    with pytest.raises(InputError, match=f"quality is {quality!r}, expected 0"):
        Encoding(quality=quality)


def test_options_of_networks_choose_no_encoder() -> None:
    assert not Encoding(options={"pkt_size": "1316"}).chosen
    assert Encoding(quality=0).chosen
    assert Encoding(preset="fast").chosen


def test_a_report_holds_the_names_of_options_alone() -> None:
    encoding = Encoding(codec="libx264", options=MappingProxyType({"rtmp_playpath": "hidden", "pkt_size": "1316"}))
    assert encoding.to_dict() == {
        "codec": "libx264", "quality": None, "preset": None, "options": ["pkt_size", "rtmp_playpath"],
    }  # fmt: skip
