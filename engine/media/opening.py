"""Choosing the source for a name, and the sink for another."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ptfan.engine.errors import InputError, InputNotFoundError, OutputExistsError
from ptfan.engine.media.notice import Warn, log_warning
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.source import Source
from ptfan.engine.media.video_sink import VideoSink
from ptfan.engine.media.video_source import VideoSource

__all__ = ["open_sink", "open_source"]


def open_source(
    spec: str | Path,
    start: float | Fraction | None = None,
    end: float | Fraction | None = None,
    *,
    warn: Warn = log_warning,
) -> Source:
    """Open a video, a folder of images or, for `-`, Y4M on standard input.

    Args:
        spec: File, folder or `-`.
        start: Seconds from the beginning of the first frame that is wanted.
        end: Seconds from the beginning where to stop, that moment excluded.
        warn: Takes a line about what could not be read or was changed; the log without it.

    Raises:
        InputNotFoundError: There is no such file or folder.
        InputError: It cannot be read as a video.
    """
    if not Path(spec).exists():
        raise InputNotFoundError(f"{spec}: no such file or folder.")
    return VideoSource(str(spec), start=_seconds(start), end=_seconds(end), warn=warn)


def open_sink(
    output: str | Path,
    source: Source,
    *,
    codec: str | None = None,
    quality: int | None = None,
    preset: str | None = None,
    overwrite: bool = False,
    warn: Warn = log_warning,
) -> Sink:
    """Open a video file, a folder for PNG files or, for `-`, Y4M on standard output.

    Args:
        output: File, folder or `-`.
        source: Where the pictures come from: its timing, colours and other streams go with them.
        codec: FFmpeg's name of an encoder; the container's usual one without it.
        quality: As x264's CRF: 0 is lossless, 16 hard to tell from the source, 23 small.
        preset: The encoder's speed, by its own names.
        overwrite: Whether an existing output may be replaced; it is, when the new one is complete.
        warn: Takes a line about what the output cannot hold; the log without it.

    Raises:
        OutputExistsError: The output exists, and `overwrite` was not given.
        OutputError: It cannot be written.
    """
    path = Path(output)
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already; give --overwrite to replace it.")
    return VideoSink(path, source.info, codec or "libx264", 16 if quality is None else quality)


def _seconds(value: float | Fraction | None) -> Fraction | None:
    """Return an exact time, or None."""
    if value is not None and value < 0:
        raise InputError(f"A time of {value} s: expected 0 or more.")
    return None if value is None else Fraction(value)
