from __future__ import annotations

from dataclasses import replace

from tests.engine.reports import STREAMED


def test_the_summary_tells_where_it_went_how_late_and_what_was_lost() -> None:
    figures = "50 frames in 2.0 s, latency p50 5 ms, p99 7 ms; 1 dropped, 2 repeated, 0 reconnections"
    assert STREAMED.summary == f"page: {figures}"
    assert replace(STREAMED, output="-").summary == f"standard output: {figures}"


def test_why_a_run_ended_is_told_without_passwords() -> None:
    secret = "rtsp://me:hidden@camera/1?token=hidden"
    report = replace(STREAMED, gave_up=f"{secret}: is lost", broken=f"{secret}: cannot be sent to")
    assert report.gave_up == "rtsp://***@camera/1?token=***: is lost"
    assert report.broken == "rtsp://***@camera/1?token=***: cannot be sent to"
