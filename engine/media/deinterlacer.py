"""Whole pictures out of interlaced ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av

from ptfan.engine.media.filter_chain import FilterChain

__all__ = ["deinterlace"]


def deinterlace(frames: Iterable[av.VideoFrame], every: bool = False, parity: str = "auto") -> Iterator[av.VideoFrame]:
    """Pass frames on, as many as come; FFmpeg's bwdif makes whole pictures of interlaced ones.

    Args:
        frames: Frames in order; where their size or format changes, a new filter begins.
        every: Whether to treat all frames as interlaced, also those that do not say so.
        parity: Which field comes first: `tff`, `bff`, or `auto` for what the frames say.
    """
    chain: FilterChain | None = None
    made_for: tuple[int, int, str] | None = None
    for frame in frames:
        kind = frame.width, frame.height, frame.format.name
        if chain is not None and kind != made_for:  # libavfilter would read beyond a smaller frame's memory
            yield from chain.push(None)
            chain = None
        made_for = kind
        if chain is None and (every or frame.interlaced_frame):
            chain = FilterChain([("bwdif", f"mode=0:parity={parity}:deint={0 if every else 1}")], frame)
        yield from [frame] if chain is None else chain.push(frame)
    yield from [] if chain is None else chain.push(None)
