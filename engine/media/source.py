"""What every source of pictures offers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from ptfan.engine.closing import Closing
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.stream_info import StreamInfo

__all__ = ["Source"]


class Source(Closing):
    """Pictures in order; iterate over it. Use it as a context manager, or close it."""

    @property
    @abstractmethod
    def info(self) -> StreamInfo:
        """What is known before the pictures are read."""

    @abstractmethod
    def __iter__(self) -> Iterator[Sample]:
        """Read the pictures from the first; files and folders can be read again, standard input cannot.

        Raises:
            InputError: A picture changes its size, or none can be read.
        """

    def close(self) -> None:
        """Let go of what is open; harmless when repeated."""
