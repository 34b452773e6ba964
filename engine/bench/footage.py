"""What whole runs inpaint: a video with its hole, as it is, in another size, or several times over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from ptfan.engine.errors import InputError, one_line
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import Source, open_source
from ptfan.engine.media.frame_rate import USUAL_RATE

__all__ = ["Footage"]

CODING = {"crf": "18", "preset": "veryfast"}
"""How x264 encodes a video that is made: it looks like its source, and nobody waits long for it."""


@dataclass(frozen=True, kw_only=True)
class Footage:
    """A video and its hole.

    Raises:
        InputError: the size is odd, or nothing.
    """

    clip: Path
    """A video, or a folder of images."""
    mask: Path
    """Its hole."""
    size: tuple[int, int] | None = None
    """(width, height) that the video is scaled to, pixels, both even; None leaves it as it is."""
    repeat: int = 1
    """How many times it is played, each time a scene of its own."""

    def __post_init__(self) -> None:
        if self.size is not None and any(side < 2 or side % 2 for side in self.size):
            raise InputError(f"size of whole videos is {self.size_name}, expected even numbers of pixels")

    @property
    def size_name(self) -> str:
        """The size as reports tell it; empty where it is the clip's own."""
        return "" if self.size is None else "{}x{}".format(*self.size)

    def check(self) -> None:
        """Check what can be checked of it before the work.

        Raises:
            InputError: the mask cannot be read, or moves and was to serve several times.
        """
        with open_mask(self.mask) as mask:
            if self.repeat > 1 and not mask.still:
                raise InputError(f"mask {self.mask}: has a hole for each frame; to repeat {self.clip}, give one image")

    def made(self, folder: Path) -> Footage:
        """Return it as a file that can be run: itself, if it is the clip as it is.

        Args:
            folder: there already; a new video is written to it, its mask stays where it is.

        Raises:
            InputError: the clip cannot be read, or not be made of that size.
        """
        if self.size is None and self.repeat == 1:
            return self
        path = folder / "clip.mp4"
        with open_source(self.clip) as source:
            try:
                self._encode(source, path)
            except (av.FFmpegError, ValueError, OverflowError) as error:
                raise InputError(f"{self.clip}: cannot be made {self.size_name} ({one_line(error, 200)})") from error
        return Footage(clip=path, mask=self.mask)

    def _encode(self, source: Source, path: Path) -> None:
        info = source.info
        pixels = "rgb24" if info.depth == 8 else "rgb48le"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=info.rate or USUAL_RATE, options=CODING)
            stream.width, stream.height = self.size or (info.width & ~1, info.height & ~1)
            stream.pix_fmt = "yuv420p"
            for _ in range(self.repeat):
                for sample in source:
                    frame = av.VideoFrame.from_ndarray(sample.image, format=pixels)
                    container.mux(stream.encode(frame.reformat(stream.width, stream.height, "yuv420p")))
            container.mux(stream.encode(None))
