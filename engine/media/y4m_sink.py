"""Pictures into a Y4M stream or file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av

from ptfan.engine.atomic import output_error
from ptfan.engine.errors import OutputError
from ptfan.engine.frame import Frame
from ptfan.engine.media.alpha_loss import AlphaLoss
from ptfan.engine.media.colour import FULL, LIMITED
from ptfan.engine.media.frame_converter import FrameConverter
from ptfan.engine.media.frame_rate import USUAL_RATE
from ptfan.engine.media.pixel_choice import choose_format
from ptfan.engine.media.pixel_layout import has_alpha
from ptfan.engine.media.planes import composite_planes
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.staging import Staging
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.media.y4m import Y4M_FORMATS, Y4mHeader, frame_to_bytes
from ptfan.engine.notices import Warn
from ptfan.engine.standard_output import standard_output

__all__ = ["Y4mSink"]

_UNSAID = 6
"""The colour matrix that is taken for granted where, as in Y4M, none is named: BT.601."""


class Y4mSink(Sink):
    """Writes the decoder's own samples, wherever Y4M has their format, to a file or to standard output."""

    def __init__(self, path: Path | None, info: StreamInfo, warn: Warn, *, overwrite: bool = False) -> None:
        """Open the output; the header is written with the first picture.

        Args:
            path: The file; None for standard output.
            info: The source that the pictures come from.
            warn: Takes a line about what Y4M cannot hold.
            overwrite: Whether an older file may be replaced.

        Raises:
            OutputExistsError: The file exists and must stay.
            OutputError: It cannot be written, or standard output is a terminal or closed.
        """
        self._info, self._warn = info, warn
        self._name = path or Path("standard output")
        self._header, self._converter, lost = _plan(info, self._tell)
        self._alpha_loss = AlphaLoss(lost, self._tell)
        self._written, self._begin, self._steady, self._done = 0, Fraction(0), True, False
        self._staging = Staging(path, overwrite=overwrite) if path else None
        self._stream = self._open()

    def write(self, sample: Sample, frame: Frame) -> None:
        """Fill the hole in the decoder's planes and write them."""
        self._alpha_loss.look(sample.native)
        picture = composite_planes(sample.native, frame, self._info.orientation)
        picture = self._converter.convert(picture)
        self._follow(sample.time)
        try:
            if not self._written:
                self._stream.write(self._header.line())
            self._stream.write(b"FRAME\n")
            for plane in frame_to_bytes(picture):
                self._stream.write(plane)
            if self._staging is None:  # whoever reads a pipe wants the frame now; small planes would wait for the next
                self._stream.flush()
        except OSError as error:
            raise self._failure(error) from error
        self._written += 1

    def close(self) -> None:
        """Write out what is buffered, and move a file into place."""
        if self._done:
            return
        self._done = True
        try:
            self._release()
        except OSError as error:
            self._discard()
            raise self._failure(error) from error
        if self._staging:
            self._staging.commit()

    def abort(self, keep_partial: bool = False) -> Path | None:
        """Give up; a file may be kept as far as it goes."""
        if self._done:
            return None
        self._done = True
        if keep_partial and self._staging and self._written:
            with suppress(OSError):
                self._release()
                return self._staging.keep()
        self._discard()
        return None

    def _open(self) -> BinaryIO:
        """Open the file, or take standard output."""
        if self._staging:
            try:
                return self._staging.path.open("wb")
            except OSError as error:
                raise self._failure(error) from error
        return standard_output()

    def _follow(self, time: Fraction) -> None:
        """Warn once when a picture's time is not the one that a constant rate gives it."""
        if not self._written:
            self._begin = time
        rate = self._header.rate or USUAL_RATE
        if self._steady and abs((time - self._begin) * rate - self._written) > Fraction(2, 3):
            self._steady = False
            self._tell(
                f"time stamps of a variable rate are dropped: Y4M has {float(rate):g} frames a second throughout"
            )

    def _tell(self, line: str) -> None:
        """Warn about this output."""
        self._warn(f"{self._name}: {line}")

    def _release(self) -> None:
        """Write out what is buffered; close a file."""
        self._stream.flush()
        if self._staging:
            self._stream.close()

    def _discard(self) -> None:
        """Close and remove a file."""
        if self._staging:
            with suppress(OSError):
                self._stream.close()
            self._staging.discard()

    def _failure(self, error: OSError) -> OutputError:
        """Say in one line what went wrong; after a broken pipe keep Python from writing at its end."""
        if not isinstance(error, BrokenPipeError):
            return output_error(self._name, error)
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OutputError(f"{self._name}: whoever read it went away (broken pipe) after {self._written} pictures")


def _plan(info: StreamInfo, tell: Warn) -> tuple[Y4mHeader, FrameConverter, str]:
    """Decide on the header and on how frames become what it says; say what is lost of alpha."""
    pixel_format = _choose(info, tell)
    colour = info.colour.converted(info.pixel_format, pixel_format)
    if av.VideoFormat(info.pixel_format).is_rgb:
        colour = replace(colour, space=_UNSAID)
    header = Y4mHeader(
        width=info.width,
        height=info.height,
        rate=info.rate or USUAL_RATE,
        aspect=info.orientation.aspect(info.sample_aspect),
        chroma=Y4mHeader.chroma_of(pixel_format, info.chroma_site),
        full_range={LIMITED: False, FULL: True}.get(colour.range),
    )
    lost = "" if has_alpha(pixel_format) else "the alpha channel is dropped: Y4M has none in this format"
    return header, FrameConverter(pixel_format, colour, info.orientation), lost


def _choose(info: StreamInfo, tell: Warn) -> str:
    """Choose the pixel format, and say what is lost."""
    old = info.pixel_format
    opaque = old.replace("yuvj", "yuv").replace("yuva", "yuv")
    new = opaque if opaque in Y4M_FORMATS and old not in Y4M_FORMATS else choose_format(old, Y4M_FORMATS)
    assert new is not None
    if av.VideoFormat(old).is_rgb:
        tell(f"RGB is converted to {new}: Y4M has no RGB")
    return new
