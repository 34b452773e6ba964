"""Frames into a video file."""

from __future__ import annotations

import os
from pathlib import Path

import av

from ptfan.engine.frame import Frame
from ptfan.engine.media.sample import Sample
from ptfan.engine.media.sink import Sink
from ptfan.engine.media.stream_info import StreamInfo

__all__ = ["VideoSink"]


class VideoSink(Sink):
    """Encodes pictures."""

    def __init__(self, path: Path, info: StreamInfo, codec: str, quality: int) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
        self._container = av.open(str(self._temporary), "w")
        self._stream = self._container.add_stream(codec, rate=info.rate or 25, options={"crf": str(quality)})
        self._stream.width, self._stream.height = info.width, info.height
        self._stream.codec_context.time_base = info.time_base
        self._done = False

    def write(self, sample: Sample, frame: Frame) -> None:
        picture = av.VideoFrame.from_ndarray(frame.composite(), format="rgb24").reformat(format="yuv420p")
        picture.pts, picture.time_base = sample.pts, sample.time_base
        self._container.mux(self._stream.encode(picture))

    def close(self) -> None:
        if self._done:
            return
        self._done = True
        self._container.mux(self._stream.encode())
        self._container.close()
        os.replace(self._temporary, self._path)

    def abort(self, keep_partial: bool = False) -> Path | None:
        if self._done:
            return None
        self._done = True
        self._container.close()
        self._temporary.unlink()
        return None
