"""Pictures into a folder of PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2

from ptfan.engine.atomic import output_error
from ptfan.engine.errors import OutputError
from ptfan.engine.frame import Frame
from ptfan.engine.media.alpha_loss import AlphaLoss
from ptfan.engine.media.folder_staging import FolderStaging, frame_name
from ptfan.engine.media.png_mark import mark
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.stream_info import StreamInfo
from ptfan.engine.notices import Warn

__all__ = ["FolderSink"]


class FolderSink(Sink):
    """Writes PNG files, RGB, 8 bits a sample or 16 for deeper sources.

    They bear the names of the images that they come from, or else `000000.png`, `000001.png` and so on.
    """

    def __init__(self, folder: Path, info: StreamInfo, warn: Warn, *, overwrite: bool = False) -> None:
        """Make a hidden folder beside the output's name, or in the output where that exists.

        Args:
            folder: The output; made at the end if need be.
            info: The source that the pictures come from.
            warn: Takes a line about what is dropped.
            overwrite: Whether older frames in it may be replaced; anything else never is.

        Raises:
            OutputExistsError: The folder holds frames that must stay, or anything else.
            OutputError: It cannot be written.
        """
        self._folder, self._written, self._done = folder, 0, False
        self._staging = FolderStaging(folder, overwrite=overwrite)
        try:
            self._staging.path.mkdir()
        except OSError as error:
            raise output_error(folder, error) from error
        self._stems = info.stems if _differ(info.stems) else ()
        if self._stems != info.stems:
            warn(f"{folder}: frames are numbered: several images of {info.name} have one name but for their endings")
        self._alpha_loss = AlphaLoss(f"{folder}: the alpha channel is dropped: the PNG files are RGB", warn)
        if info.sample_aspect not in (None, 1):
            warn(f"{folder}: the sample aspect ratio {info.sample_aspect} is dropped: PNG files have square samples")

    def write(self, sample: Sample, frame: Frame) -> None:
        """Write the composited picture as the next PNG file."""
        self._alpha_loss.look(sample.native)
        name = f"{self._stems[sample.index]}.png" if self._stems else frame_name(self._written)
        pixels = cv2.cvtColor(frame.composite(), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".png", pixels)
        try:
            (self._staging.path / name).write_bytes(mark(data.tobytes()))
        except OSError as error:
            raise output_error(self._folder, error) from error
        self._written += 1

    def close(self) -> None:
        """Move the frames into place."""
        if not self._done:
            self._done = True
            self._staging.commit()

    def abort(self, keep_partial: bool = False) -> Path | None:
        """Give up; what there is may be kept as `NAME.partial`."""
        if self._done:
            return None
        self._done = True
        if keep_partial and self._written:
            with suppress(OutputError):
                return self._staging.keep()
        self._staging.discard()
        return None


def _differ(stems: Sequence[str]) -> bool:
    """Tell whether names differ, also where upper and lower case are one."""
    return len({stem.casefold() for stem in stems}) == len(stems)
