"""Pictures into a folder of PNG files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2

from ptfan.engine.errors import OutputError
from ptfan.engine.frame import Frame
from ptfan.engine.media.notice import Warn
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.staging import Staging, output_error
from ptfan.engine.media.stream_info import StreamInfo

__all__ = ["FolderSink"]


class FolderSink(Sink):
    """Writes `000000.png`, `000001.png` and so on, RGB, 8 bits a sample or 16 for deeper sources."""

    def __init__(self, folder: Path, info: StreamInfo, warn: Warn, *, overwrite: bool = False) -> None:
        """Make a folder beside the output's name.

        Args:
            folder: The output; a folder of this name that is not empty is replaced as a whole.
            info: The source that the pictures come from.
            warn: Takes a line about what is dropped.
            overwrite: Whether an older folder may be replaced.

        Raises:
            OutputExistsError: The folder is not empty and must stay.
            OutputError: It cannot be written.
        """
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: is a file, expected a folder for PNG files")
        self._folder, self._written, self._done = folder, 0, False
        self._staging = Staging(folder, overwrite=overwrite)
        try:
            self._staging.path.mkdir()
        except OSError as error:
            raise output_error(folder, error) from error
        if info.has_alpha:
            warn(f"{folder}: the alpha channel is dropped: the PNG files are RGB")

    def write(self, sample: Sample, frame: Frame) -> None:
        """Write the composited picture as the next PNG file."""
        pixels = cv2.cvtColor(frame.composite(), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".png", pixels)
        try:
            (self._staging.path / f"{self._written:06d}.png").write_bytes(data.tobytes())
        except OSError as error:
            raise output_error(self._folder, error) from error
        self._written += 1

    def close(self) -> None:
        """Move the folder into place."""
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
