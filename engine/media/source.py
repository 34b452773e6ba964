"""What every source of pictures offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

from ptfan.engine.media.sample import Sample
from ptfan.engine.media.stream_info import StreamInfo

__all__ = ["Source"]

_Source = TypeVar("_Source", bound="Source")


class Source(ABC):
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

    def close(self) -> None:  # noqa: B027 - most sources hold nothing open between iterations
        """Let go of what is open; harmless when repeated."""

    def __enter__(self: _Source) -> _Source:
        """Return the source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the source."""
        self.close()
