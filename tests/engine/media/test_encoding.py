from __future__ import annotations

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
