from __future__ import annotations

import pytest

from ptfan.engine.redaction import redacted


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:secret@camera/live", "rtsp://***@camera/live"),
        ("rtsp://me@camera/live", "rtsp://***@camera/live"),
        ("https://host/a?token=abc&x=1&password=q", "https://host/a?token=***&x=1&password=***"),
        ("srt://host:1?passphrase=long&mode=caller", "srt://host:1?passphrase=***&mode=caller"),
        ("rtmp://server/live/key?x=1", "rtmp://server/live/***"),
        ("rtmp://server/live/key: refused", "rtmp://server/live/***: refused"),
        ("https://host/a?access_token=abc&x=1", "https://host/a?access_token=***&x=1"),
        ("https://host/a?X-Amz-Signature=abc", "https://host/a?X-Amz-Signature=***"),
        ("https://host/a?hdnts=exp=1~hmac=abc", "https://host/a?hdnts=***"),
        ("rtsp://host/user=me_password=abc_channel=1", "rtsp://host/user=me_password=***"),
        ("udp://host:1?pkt_size=1316", "udp://host:1?pkt_size=1316"),
        ("udp://@239.0.0.1:5000", "udp://@239.0.0.1:5000"),
        ("cannot open rtsp://me:p@ss@camera: refused", "cannot open rtsp://***@camera: refused"),
        ("http://a/b?token=abc: no frame of it", "http://a/b?token=***: no frame of it"),
        ("cannot open 'http://a/b?token=abc': refused", "cannot open 'http://a/b?token=***': refused"),
        ("http://a/b?token=&x=1", "http://a/b?token=***&x=1"),
        ("a@b.mp4", "a@b.mp4"),
        ("a;key=1.mp4", "a;key=1.mp4"),
        ("/dev/video0", "/dev/video0"),
    ],
)
def test_no_password_is_shown(address: str, shown: str) -> None:
    assert redacted(address) == shown
