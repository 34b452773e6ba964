from __future__ import annotations

import logging
import threading

import pytest

from ptfan.engine.live.unused_options import LOGGER, UnusedOptions

LINE = "Some options were not used: {'one': 'hidden', 'two': 'three'}"


def test_only_the_options_of_this_thread_s_output_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger(LOGGER)
    with UnusedOptions(["two", "three", "one"]) as unused:
        other = threading.Thread(target=log.warning, args=("of another output: {'one': '1'}",))
        other.start()
        other.join()
        log.warning(LINE)
        log.warning("something else")
    assert unused.names == ["two", "one"]
    log.warning("afterwards: {'one': '1'}")
    assert caplog.messages == ["of another output: {'one': '1'}", "something else", "afterwards: {'one': '1'}"]
