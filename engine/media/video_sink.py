"""Pictures into a video file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av

from ptfan.engine.atomic import output_error
from ptfan.engine.errors import InputError, PtfanError
from ptfan.engine.frame import Frame
from ptfan.engine.media.alpha_loss import AlphaLoss
from ptfan.engine.media.colour import FULL, RGB
from ptfan.engine.media.containers import container_named
from ptfan.engine.media.encoder_plan import EncoderPlan
from ptfan.engine.media.encoding import Encoding
from ptfan.engine.media.input_container import open_container
from ptfan.engine.media.planes import composite_planes
from ptfan.engine.media.remuxer import Remuxer
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.staging import Staging
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.media.video_encoder import VideoEncoder
from ptfan.engine.notices import Warn

__all__ = ["VideoSink"]


class VideoSink(Sink):
    """Encodes the pictures, filled in the decoder's own planes, and copies all else from the source's file."""

    def __init__(
        self,
        path: Path,
        info: StreamInfo,
        encoding: Encoding,
        warn: Warn,
        *,
        overwrite: bool = False,
    ) -> None:
        """Open the encoder, and write the header of a file beside the output's name.

        Args:
            path: The output.
            info: The source that the pictures come from.
            encoding: How it is encoded.
            warn: Takes a line about what the output cannot hold.
            overwrite: Whether an older output may be replaced.

        Raises:
            InputError: The codec or its options cannot be used.
            OutputExistsError: The output exists and must stay.
            OutputError: The output cannot be written.
        """
        self._path, self._info, self._warn = path, info, warn
        self._shift = _shift(info)
        self._last: Fraction | None = None
        self._done = False
        self._remuxer: Remuxer | None = None
        self._staging = Staging(path, overwrite=overwrite)
        self._container = _create(self._staging.path)
        try:
            self._encoder = self._begin(encoding)
        except BaseException:
            self._done = True
            self._drop()
            raise

    def write(self, sample: Sample, frame: Frame) -> None:
        """Fill the hole in the decoder's frame, encode it, and copy what belongs to the same moment."""
        self._alpha_loss.look(sample.native)
        picture = composite_planes(sample.native, frame, self._info.orientation)
        self._last = sample.time - self._shift
        with _translated(self._path):
            self._container.mux(self._encoder.encode(picture, self._last))
            if self._remuxer:
                self._remuxer.advance(self._last)

    def close(self) -> None:
        """Finish the file and move it into place; if no picture was written, there is none."""
        if self._done:
            return
        self._done = True
        if self._last is None:
            self._drop()
            return
        try:
            self._finish(None)
            self._report()
        except BaseException:
            self._drop()
            raise
        self._release()
        self._staging.commit()

    def abort(self, keep_partial: bool = False) -> Path | None:
        """Give up, or keep what there is as a file that plays."""
        if self._done:
            return None
        self._done = True
        if keep_partial and self._last is not None:
            with suppress(PtfanError):  # Of the output, or of a source whose sound is damaged as well.
                self._finish(self._last)
                self._release()
                return self._staging.keep()
        self._drop()
        return None

    def _begin(self, encoding: Encoding) -> VideoEncoder:
        """Set up all streams and write the header."""
        plan = EncoderPlan.make(self._container, self._info, encoding)
        for line in [*plan.losses(self._info), plan.hint]:
            if line:
                self._tell(line)
        self._alpha_loss = AlphaLoss(plan.alpha_loss(self._info), self._tell)
        encoder = VideoEncoder(self._container, plan)
        if self._info.path is not None:
            self._remuxer = Remuxer(self._info, self._container, encoder.stream, self._shift, self._tell)
        try:
            self._container.start_encoding()
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, OSError) and "avcodec" not in str(error):
                raise output_error(self._path, error) from error
            raise InputError(plan.refusal) from error
        return encoder

    def _tell(self, line: str) -> None:
        """Warn about this output."""
        self._warn(f"{self._path}: {line}")

    def _finish(self, until: Fraction | None) -> None:
        """Write what the encoder still holds, what else there is up to a moment (or all), and the trailer."""
        with _translated(self._path):
            self._container.mux(self._encoder.flush())
            if self._remuxer:
                self._remuxer.advance(until)
                self._remuxer.fill((self._last or Fraction(0)) + 1 / self._encoder.plan.rate)
            self._container.close()

    def _report(self) -> None:
        """Say what the finished file does not hold."""
        if self._encoder.rounded:
            rate, moved = float(self._encoder.plan.rate), float(self._encoder.rounded)
            self._tell(
                f"time stamps are rounded to {rate:.5g} frames a second, by up to {moved:.3f} s: "
                "this codec or container keeps only a constant rate"
            )
        with _translated(self._path), open_container(self._staging.path) as found:
            losses = self._remuxer.losses(found) if self._remuxer else []
            losses += _lost_looks(self._encoder.plan, found.streams.video[0])
        for loss in losses:
            self._tell(loss)

    def _drop(self) -> None:
        """Close everything and remove the file."""
        with suppress(av.FFmpegError, ValueError):
            self._container.close()
        self._release()
        self._staging.discard()

    def _release(self) -> None:
        """Close the source's file."""
        if self._remuxer:
            self._remuxer.close()


def _create(path: Path) -> av.container.OutputContainer:
    """Make a container of the kind that a name's ending says."""
    container = av.open(str(path), "w")
    container.container_options.update(container_named(container.format.name).options)
    return container


def _shift(info: StreamInfo) -> Fraction:
    """Return the seconds to take off all time stamps: a cut begins at 0, and a broadcast's clock is set to 0."""
    if info.span.start is not None:
        return info.begin
    return info.origin if info.clocked else Fraction(0)


def _lost_looks(plan: EncoderPlan, stream: av.VideoStream) -> list[str]:
    """Name what a finished file does not tell of how its pictures, which are open for reading, are to be shown."""
    aspect, wanted = stream.sample_aspect_ratio or Fraction(1), plan.sample_aspect or Fraction(1)
    lost = []
    if abs(aspect / wanted - 1) > Fraction(1, 50):
        name = plan.encoder.name
        lost.append(f"the sample aspect ratio {wanted} is dropped: {name} keeps none here; .mp4 or libx264 would")
    if plan.colour.range == FULL and plan.colour.space != RGB and stream.codec_context.color_range != FULL:
        lost.append("its full range cannot be noted here, so that players show too much contrast; .mkv notes it")
    return lost


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn FFmpeg's errors into one line about the output."""
    try:
        yield
    except av.FFmpegError as error:
        failure = error if isinstance(error, OSError) else OSError(error.errno, error.strerror)
        raise output_error(path, failure) from error
