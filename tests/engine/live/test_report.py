from __future__ import annotations

from ptfan.engine.live.report import StreamReport


def test_no_password_is_recorded() -> None:
    secret = "rtsp://me:hidden@camera/1?token=hidden"
    report = StreamReport(
        input=secret, output=secret, gave_up=f"{secret}: is lost", broken=f"{secret}: cannot be sent to",
        figures={}, stages={}, settings={}, model="s-live", backend="onnxruntime", versions={}, warnings=(),
    )  # fmt: skip
    assert "hidden" not in repr(report) + report.to_json()
    assert report.gave_up == "rtsp://***@camera/1?token=***: is lost"
