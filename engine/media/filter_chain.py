"""Video filters in a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction

import av

__all__ = ["FilterChain", "copy_frame"]


class FilterChain:
    """libavfilter's filters, one after the other, for frames of one size and format: push one, get some, flush.

    Time stamps come out in ticks of the time base that they went in with.
    """

    def __init__(self, filters: Sequence[tuple[str, str]], like: av.VideoFrame) -> None:
        """Build the chain.

        Args:
            filters: (name, arguments) of each filter, in order.
            like: A frame of the size, format and time base of those to come.
        """
        self._time_base = like.time_base or Fraction(1, 1000)
        graph = av.filter.Graph()
        graph.threads = 1  # starting threads costs more than the small frames here gain
        first = graph.add_buffer(width=like.width, height=like.height, format=like.format, time_base=self._time_base)
        nodes = [graph.add(name, arguments or None) for name, arguments in filters]
        self._input, self._output = first, graph.add("buffersink")
        self._graph = graph.link_nodes(first, *nodes, self._output)
        self._graph.configure()

    def push(self, frame: av.VideoFrame | None) -> list[av.VideoFrame]:
        """Hand in a frame, or None after the last; return those that are ready."""
        self._input.push(frame)
        return list(self._pull())

    def _pull(self) -> Iterator[av.VideoFrame]:
        """Yield the frames that are ready."""
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                frame = self._output.pull()
                assert isinstance(frame, av.VideoFrame)
                yield self._stamp(frame)

    def _stamp(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Express a frame's times in the time base that went in: filters that may double the rate halve it."""
        scale = (frame.time_base or self._time_base) / self._time_base
        if frame.pts is not None:
            frame.pts = round(frame.pts * scale)
        frame.duration = round(frame.duration * scale)
        frame.time_base = self._time_base
        return frame


def copy_frame(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a frame of the same samples in memory of its own, side data (captions) and tags included."""
    (copy,) = FilterChain([("copy", "")], frame).push(frame)
    return copy
