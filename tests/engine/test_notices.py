from __future__ import annotations

from ptfan.engine.notices import Notices


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
