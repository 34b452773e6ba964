from __future__ import annotations

import copy
import pickle
from types import MappingProxyType
from typing import Any

import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.live.feed import FeedOptions
from ptfan.engine.live.settings import LiveSettings
from ptfan.engine.media import Encoding
from ptfan.engine.media.ffmpeg_options import FfmpegOptions

SECRET = MappingProxyType({"rtmp_playpath": "hidden", "pkt_size": "1316"})
"""A mapping that can neither be pickled nor hashed itself."""


def test_what_options_are_set_to_is_not_shown() -> None:
    options = FfmpegOptions(SECRET)
    assert repr(options) == "{'rtmp_playpath': '***', 'pkt_size': '***'}"
    assert options == {"rtmp_playpath": "hidden", "pkt_size": "1316"}
    assert {**options} == dict(SECRET)


def test_options_are_a_copy() -> None:
    given = {"pkt_size": "1316"}
    options = FfmpegOptions(given)
    given["pkt_size"] = "188"
    assert options["pkt_size"] == "1316"


@pytest.mark.parametrize(
    "settings",
    [Encoding(options=SECRET), FeedOptions(options=SECRET), LiveSettings(feed=FeedOptions(options=SECRET))],
    ids=["encoding", "feed", "live"],
)
def test_settings_with_options_are_values(settings: object) -> None:
    assert "hidden" not in repr(settings)
    for other in (pickle.loads(pickle.dumps(settings)), copy.deepcopy(settings), copy.copy(settings)):
        assert other == settings
        assert hash(other) == hash(settings)


@pytest.mark.parametrize("kind", [Encoding, FeedOptions])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"pkt_size": 1316}, "^option 'pkt_size' is 1316, expected text"),
        ({1: "1316"}, "^an option is called 1, expected text"),
        (None, "^options are a NoneType, expected FFmpeg's options by name"),
        ("pkt_size=1316", "^options are a str"),
    ],
)
def test_options_that_are_no_text_are_refused(kind: Any, options: Any, error: str) -> None:
    with pytest.raises(InputError, match=error):
        kind(options=options)
