"""Choosing the source for a name, and the sink for another."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path

from ptfan.engine.errors import InputError, InputNotFoundError, OutputError
from ptfan.engine.media.encoding import Encoding
from ptfan.engine.media.endings import VIDEO_ENDINGS, has_video_ending
from ptfan.engine.media.folder_sink import FolderSink
from ptfan.engine.media.folder_source import FolderSource
from ptfan.engine.media.hardware import HardwareDecoding
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.source import Source
from ptfan.engine.media.span import Span
from ptfan.engine.media.video_sink import VideoSink
from ptfan.engine.media.video_source import VideoSource
from ptfan.engine.media.y4m_sink import Y4mSink
from ptfan.engine.media.y4m_source import Y4mSource
from ptfan.engine.notices import Warn, log_warning

__all__ = ["open_sink", "open_source"]

_FASTEST_RATE, _FINEST_RATE = 1000, 10000
"""Frames a second, and what their number may be divided by."""


def open_source(
    spec: str | os.PathLike[str],
    start: float | Fraction | None = None,
    end: float | Fraction | None = None,
    *,
    rate: float | Fraction | str | None = None,
    hwaccel: str | None = None,
    warn: Warn = log_warning,
) -> Source:
    """Open a video, a folder of images or, for `-`, Y4M on standard input.

    Args:
        spec: File, folder, `-`, or a URL that FFmpeg reads.
        start: Seconds from the beginning of the first frame that is wanted.
        end: Seconds from the beginning where to stop, that moment excluded.
        rate: Frames a second of a folder of images, such as 30 or `24000/1001`, 25 without it; all else knows its own.
        hwaccel: A device that is to decode a video, as FFmpeg calls it: `cuda`, or `cuda:1` for another than the first.
            It is not done on the CPU instead.
        warn: Takes a line about what could not be read, or was changed; the log `ptfan` without it.

    Raises:
        InputNotFoundError: There is no such file or folder.
        InputError: It cannot be read as a video, or nothing of it lies between start and end; or there is no such
            device, or nothing for it to decode; or a rate is none, or not for it.
    """
    span, name, hardware = Span.of(start, end), os.fspath(spec), HardwareDecoding.parse(hwaccel)
    if hardware is not None and (name == "-" or Path(name).is_dir()):
        raise InputError(f"{name}: hwaccel {hwaccel} decodes videos, and this is none that is coded; leave it out")
    path = Path(name)
    if name != "-" and "://" not in name and not path.exists():
        raise InputNotFoundError(f"{name}: no such file or folder")
    if rate is not None and (name == "-" or not path.is_dir()):
        raise InputError(f"{name}: rate {rate} is for folders of images, and this has a rate of its own; leave it out")
    if name == "-":
        return Y4mSource(sys.stdin.buffer, "standard input", span, warn)
    if path.is_dir():
        return FolderSource(path, span, None if rate is None else _rate(rate), warn)
    if path.exists() and not path.is_file():
        raise InputError(f"{name}: is no file or folder; give - for Y4M on standard input")
    return VideoSource(name, span, warn, hardware)


def open_sink(
    output: str | os.PathLike[str],
    source: Source,
    encoding: Encoding | None = None,
    *,
    overwrite: bool = False,
    warn: Warn = log_warning,
) -> Sink:
    """Open a video file, a folder for PNG files or, for `-`, Y4M on standard output.

    Args:
        output: `-`; a name with a video's ending; or a folder: one that exists, or a name that ends in a slash or has
            no ending. `.y4m` is a file of Y4M.
        source: Where the pictures come from: its timing, colours and other streams go with them.
        encoding: How a video is encoded; as suits the container without it.
        overwrite: Whether an existing output may be replaced; it is, once the new one is complete.
        warn: Takes a line about what the output cannot hold; the log `ptfan` without it.

    Raises:
        InputError: The codec, its settings or the output's ending cannot be used, or there are options for a network.
        OutputExistsError: The output exists, and `overwrite` was not given.
        OutputError: It cannot be written, or is the input itself.
    """
    name, info = os.fspath(output), source.info
    path, encoding = Path(name), encoding or Encoding()
    encoding.refuse_options(name)
    _refuse_same(path, info.name)
    if name != "-" and not _is_folder(name) and path.suffix.lower() != ".y4m":
        _refuse_unknown(path)
        return VideoSink(path, info, encoding, warn, overwrite=overwrite)
    if encoding.chosen:
        warn(f"{name}: codec, quality and preset are not used: this output is lossless as it is")
    if _is_folder(name) and name != "-":
        return FolderSink(path, info, warn, overwrite=overwrite)
    return Y4mSink(None if name == "-" else path, info, warn, overwrite=overwrite)


def _is_folder(name: str) -> bool:
    """Tell whether an output's name means a folder."""
    path = Path(name)
    return path.is_dir() or name.endswith(("/", os.sep)) or not path.suffix


def _refuse_same(path: Path, source: str) -> None:
    """Refuse to write over the input."""
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise OutputError(f"{path}: is the input itself; give the output another name")


def _refuse_unknown(path: Path) -> None:
    """Refuse endings that are no video container's."""
    if not has_video_ending(path):
        endings = ", ".join(f".{ending}" for ending in VIDEO_ENDINGS[:5])
        raise InputError(f"{path}: {path.suffix} is no video's ending; expected {endings}, or a folder for PNG files")


def _rate(value: float | Fraction | str) -> Fraction:
    """Return an exact frame rate, with numbers that every container can count in."""
    try:
        rate = Fraction(str(value)).limit_denominator(_FINEST_RATE)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= _FASTEST_RATE:
        raise InputError(
            f"rate is {value}, expected frames a second, above 0 and up to {_FASTEST_RATE}, such as 30 or 24000/1001"
        )
    return rate
