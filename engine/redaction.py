"""Texts without the passwords, tokens and stream keys of the addresses in them."""

from __future__ import annotations

import re

__all__ = ["redacted"]

SECRET = re.compile(r"(?<=://)[^/?#\s]+@")
"""User and password in a URL."""
QUERY = re.compile(
    r"([?&/;_][\w.-]*?(?:pass|pwd|token|key|secret|auth|hdnts|hmac|streamid|session|credential|sig)[\w.-]*=)"
    r"(?:[^&\s]*[^&\s:;,.'\")])?",
    re.IGNORECASE,
)
"""What else is kept secret, rather too much than too little: in its query, and in the path with some cameras. What a
sentence goes on with stays."""
STREAM_KEY = re.compile(r"(rtmps?://[^/\s]+/[^/\s]+/)[^\s:;]+", re.IGNORECASE)
"""What lets one send to a server by RTMP stands in the path, behind the application's name."""


def redacted(text: str) -> str:
    """Return a text, such as an address or an error that quotes it, without passwords, tokens and stream keys."""
    if "://" not in text:  # the name of a file, which has to stay what it is
        return text
    return STREAM_KEY.sub(r"\1***", QUERY.sub(r"\1***", SECRET.sub("***@", text)))
