"""A word in a PNG file that says who wrote it, so that a later run knows which files it may replace."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

__all__ = ["SIGNATURE", "is_marked", "mark"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""How PNG files begin."""
_HEAD = 33
"""Bytes of the signature and the header, behind which other chunks may stand."""
_WORDS = b"Software\0ptfan"
_CHUNK = struct.pack(">I", len(_WORDS)) + b"tEXt" + _WORDS + struct.pack(">I", zlib.crc32(b"tEXt" + _WORDS))


def mark(png: bytes) -> bytes:
    """Return the content of a PNG file with the mark in it; its picture is the same."""
    return png[:_HEAD] + _CHUNK + png[_HEAD:]


def is_marked(path: Path) -> bool:
    """Tell whether a file is a PNG file with the mark; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD + len(_CHUNK))
    except OSError:
        return False
    return head.startswith(SIGNATURE) and head[_HEAD:] == _CHUNK
