"""Whole pictures out of interlaced ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av

from ptfan.engine.media.filter_chain import FilterChain

__all__ = ["deinterlace"]


def deinterlace(frames: Iterable[av.VideoFrame], every: bool = False, parity: str = "auto") -> Iterator[av.VideoFrame]:
    """Pass frames on, as many as come; FFmpeg's bwdif makes whole pictures of interlaced ones.

    Args:
        frames: Frames of one size and format, in order.
        every: Whether to treat all frames as interlaced, also those that do not say so.
        parity: Which field comes first: `tff`, `bff`, or `auto` for what the frames say.
    """
    chain: FilterChain | None = None
    for frame in frames:
        if chain is None and (every or frame.interlaced_frame):
            chain = FilterChain([("bwdif", f"mode=0:parity={parity}:deint={0 if every else 1}")], frame)
        yield from [frame] if chain is None else chain.push(frame)
    yield from [] if chain is None else chain.push(None)
