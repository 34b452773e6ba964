from __future__ import annotations

import logging

import pytest

from ptfan.engine.notices import Notices, log_warning


def test_lines_are_handed_on_and_the_last_ones_kept() -> None:
    told: list[str] = []
    notices = Notices(told.append, most=2)
    for line in ("one", "two", "three"):
        notices(line)
    assert told == ["one", "two", "three"]
    assert notices.lines == ("two", "three")


def test_passwords_go_no_further() -> None:
    told: list[str] = []
    notices = Notices(told.append)
    notices("rtsp://me:secret@camera/1: is lost")
    assert "secret" not in told[0]
    assert notices.lines == tuple(told)


def test_who_gives_no_function_reads_the_log(caplog: pytest.LogCaptureFixture) -> None:
    log_warning("it is dropped")
    assert caplog.record_tuples == [("ptfan", logging.WARNING, "it is dropped")]
