"""What a decoder attaches to a frame besides its samples."""

from __future__ import annotations

from typing import Any

import av

__all__ = ["read_side_data"]


def read_side_data(frame: av.VideoFrame) -> dict[str, bytes] | None:
    """Return a frame's side data by FFmpeg's names; None where PyAV has no name for one kind, and then shows none."""
    try:
        items: Any = list(frame.side_data)
        return {item.type.name: bytes(item) for item in items}
    except ValueError:
        return None
