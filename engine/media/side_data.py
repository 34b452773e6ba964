"""What a decoder attaches to a frame besides its samples."""

from __future__ import annotations

from typing import Any

import av
from av.sidedata.sidedata import SideDataContainer

__all__ = ["read_side_data"]

# A frame keeps what its own `side_data` returns, and that keeps the frame: the pair, with all the samples, would wait
# for Python's rare search for cycles, gigabytes of it at 1080p. A container made from outside is not kept.
_open: Any = SideDataContainer


def read_side_data(frame: av.VideoFrame) -> dict[str, bytes] | None:
    """Return a frame's side data by FFmpeg's names; None where PyAV has no name for one kind, and then shows none."""
    try:
        container = _open(frame)
        # PyAV before 19 iterates over the items themselves, as no mapping does.
        items: Any = [item if hasattr(item, "type") else container[item] for item in container]
        return {item.type.name: bytes(item) for item in items}
    except ValueError:
        return None
