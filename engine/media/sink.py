"""What every place for pictures offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from ptfan.engine.frame import Frame
from ptfan.engine.media.sample import Sample

__all__ = ["Sink"]

_Sink = TypeVar("_Sink", bound="Sink")


class Sink(ABC):
    """Takes pictures in order. As a context manager it is closed at the end, and aborted on an error."""

    @abstractmethod
    def write(self, sample: Sample, frame: Frame) -> None:
        """Append one picture.

        Args:
            sample: The picture as its source gave it.
            frame: The same picture with its hole and with what fills it.

        Raises:
            OutputError: The disk is full, the pipe is broken, or the encoder refuses.
        """

    @abstractmethod
    def close(self) -> None:
        """Finish the output and move it into place; harmless when repeated or after `abort`.

        Raises:
            OutputError: The output cannot be finished, and nothing of it is left; or it is finished and cannot be moved
                into place, and is kept as the text says. An older output stays.
        """

    @abstractmethod
    def abort(self, keep_partial: bool = False) -> Path | None:
        """Give up; an older output stays. Harmless when repeated or after `close`.

        Args:
            keep_partial: Finish what was written so far as `NAME.partial.EXT` instead of removing it.

        Returns:
            Where the finished part lies; None when nothing was kept.
        """

    def __enter__(self: _Sink) -> _Sink:
        """Return the sink itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close after success; after an error abort, and keep nothing."""
        if kind is None:
            self.close()
        else:
            self.abort()
