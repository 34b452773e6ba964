"""Where a live stream comes from or goes to: its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ptfan.engine.errors import InputError
from ptfan.engine.redaction import redacted

__all__ = ["is_device", "is_endless", "is_network", "parse_options", "sink_format", "source_format"]

FORMATS = {"udp": "mpegts", "tcp": "mpegts", "srt": "mpegts", "rtp": "rtp_mpegts", "rtmp": "flv", "rtmps": "flv"}
FORMATS |= {"rtsp": "rtsp", "rtsps": "rtsp", "http": "mpegts", "https": "mpegts"}
"""What is sent by a protocol."""


def is_network(address: str) -> bool:
    """Tell whether an address is a URL rather than a file."""
    return "://" in address and not address.startswith("file://")


def is_device(address: str) -> bool:
    """Tell whether an address is a camera's device file."""
    return address.startswith("/dev/video")


def is_endless(address: str) -> bool:
    """Tell whether what comes from there has no end of its own: when it stops, it was lost."""
    return is_network(address) or is_device(address)


def source_format(address: str) -> str | None:
    """Return FFmpeg's name of the format to read; None where it finds that out itself."""
    return "v4l2" if is_device(address) else None


def sink_format(address: str) -> str | None:
    """Return FFmpeg's name of the format to send to an address; None for files, whose endings say it.

    Raises:
        InputError: nothing can be sent by this protocol.
    """
    if address.endswith(".m3u8"):
        return "hls"
    if not is_network(address):
        return None
    scheme = address.partition("://")[0].lower()
    if scheme not in FORMATS:
        known = ", ".join(f"{name}://" for name in FORMATS)
        raise InputError(f"{redacted(address)}: nothing can be sent by {scheme}; expected {known}, a file or -")
    return FORMATS[scheme]


def parse_options(texts: list[str]) -> Mapping[str, str]:
    """Read `KEY=VALUE` options for FFmpeg.

    Raises:
        InputError: one is something else.
    """
    wrong = next((text for text in texts if not re.fullmatch(r"[\w:.-]+=.*", text)), None)
    if wrong is not None:
        raise InputError(f"option {wrong!r}: expected KEY=VALUE, for instance rtsp_transport=tcp")
    return dict(text.split("=", 1) for text in texts)
