"""Clips made on the spot, with all the odd things that real ones have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ptfan.engine.frame import Box, Frame, Patch
from ptfan.engine.media import Encoding, Sample, open_sink, open_source


@dataclass
class Clip:
    """What a generated clip is like."""

    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    width: int = 64
    height: int = 48
    frames: int = 10
    pixel_format: str = "yuv420p"
    rate: Fraction = Fraction(25)
    time_base: Fraction | None = None
    times: Sequence[int] | None = None
    """Time stamps in ticks of the time base; one a tick without them."""
    duration: int = 0
    """Ticks of the last frame."""
    matrix: Sequence[int] | None = None
    colour: tuple[int, int, int, int] = (2, 0, 2, 2)
    """Space, range, primaries, transfer."""
    aspect: Fraction = Fraction(1)
    audio: str | None = None
    audio_from: Fraction = Fraction(0)
    subtitles: Sequence[tuple[float, float, str]] = ()
    chapters: Sequence[tuple[float, float, str]] = ()
    tags: dict[str, str] = field(default_factory=dict)
    attachment: bytes | None = None
    field_order: str | None = None
    alpha: int | None = None
    container_options: dict[str, str] = field(default_factory=dict)


def picture(index: int, width: int, height: int) -> np.ndarray:
    """A picture with smooth colours, an edge and a moving square: (H, W, 3) uint8."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 200 // width + 20, y * 200 // height + 20, (x + y) * 100 // (width + height) + 60], -1)
    image[:, width // 2 :] = image[:, width // 2 :][..., ::-1]
    left = 3 + 2 * index % max(1, width - 12)
    image[5:15, left : left + 8] = (230, 40, 90)
    return image.astype(np.uint8)


def write_clip(path: Path, clip: Clip) -> Path:
    """Encode a clip."""
    with av.open(str(path), "w", container_options=clip.container_options) as container:
        container.metadata.update(clip.tags)
        if clip.chapters:
            container.set_chapters([_chapter(number, *chapter) for number, chapter in enumerate(clip.chapters)])
        video = _add_video(container, clip)
        audio = _add_audio(container, clip) if clip.audio else None
        text = _add_text(container, path) if clip.subtitles else None
        if clip.attachment is not None:
            container.add_attachment("font.ttf", "application/x-truetype-font", clip.attachment)
        container.start_encoding()
        if audio:
            container.mux(_sound(audio, clip))
        for start, end, words in clip.subtitles:
            container.mux(_subtitle(text, path, start, end, words))
        for index in range(clip.frames):
            container.mux(video.encode(_frame(index, clip)))
        container.mux(video.encode(None))
    return path


def _chapter(number: int, start: float, end: float, title: str) -> dict[str, Any]:
    base = Fraction(1, 1000)
    return {
        "id": number,
        "start": int(start * 1000),
        "end": int(end * 1000),
        "time_base": base,
        "metadata": {"title": title},
    }


def _add_video(container: Any, clip: Clip) -> Any:
    video = container.add_stream(clip.codec, rate=clip.rate, options=dict(clip.options))
    context = video.codec_context
    context.width, context.height, context.pix_fmt = clip.width, clip.height, clip.pixel_format
    context.time_base = clip.time_base or 1 / clip.rate
    context.sample_aspect_ratio = clip.aspect
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = clip.colour
    context.flags |= 1 << 8
    if clip.matrix:
        video.set_display_matrix(clip.matrix)
    if clip.field_order:
        context.flags |= 0x20040000  # AV_CODEC_FLAG_INTERLACED_DCT and _ME
    return video


def _frame(index: int, clip: Clip) -> av.VideoFrame:
    rgb = picture(index, clip.width, clip.height)
    if clip.field_order:
        rgb[1::2] = picture(index + 3, clip.width, clip.height)[1::2]
    if clip.alpha is not None:
        rgb = np.dstack([rgb, np.full(rgb.shape[:2], clip.alpha, np.uint8)])
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24" if clip.alpha is None else "rgba")
    frame.colorspace, frame.color_range = clip.colour[:2]
    frame = frame.reformat(format=clip.pixel_format)
    if clip.field_order:
        chain = av.filter.Graph()
        source = chain.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
        )
        chain.link_nodes(source, chain.add("setfield", clip.field_order), chain.add("buffersink")).configure()
        chain.push(frame)
        pulled = chain.pull()
        assert isinstance(pulled, av.VideoFrame)
        frame = pulled
    frame.pts = clip.times[index] if clip.times else index
    frame.time_base = clip.time_base or 1 / clip.rate
    if index == clip.frames - 1:
        frame.duration = clip.duration
    return frame


def _add_audio(container: Any, clip: Clip) -> Any:
    return container.add_stream(clip.audio, rate=48000)


def _sound(stream: Any, clip: Clip) -> list[Any]:
    last = clip.times[-1] * clip.time_base if clip.times and clip.time_base else clip.frames / clip.rate
    samples = int((last - clip.audio_from) * 48000)
    tone = (np.sin(np.arange(max(samples, 16384)) / 20) * 8000).astype(np.int16)
    packets = []
    for start in range(0, len(tone) - 1023, 1024):
        frame = av.AudioFrame.from_ndarray(
            np.stack([tone[start : start + 1024]] * 2, 1).reshape(1, -1), "s16", "stereo"
        )
        frame.sample_rate, frame.pts = 48000, start + int(clip.audio_from * 48000)
        frame.time_base = Fraction(1, 48000)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _add_text(container: Any, path: Path) -> Any:
    stream = container.add_mux_stream("mov_text" if path.suffix in (".mp4", ".mov") else "subrip")
    stream.time_base = Fraction(1, 1000)
    stream.metadata["language"] = "eng"
    return stream


def _subtitle(stream: Any, path: Path, start: float, end: float, words: str) -> av.Packet:
    data = words.encode()
    if path.suffix in (".mp4", ".mov"):
        data = len(data).to_bytes(2, "big") + data
    packet = av.Packet(data)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = int(start * 1000)
    packet.duration = int((end - start) * 1000)
    return packet


def filled(sample: Sample, box: Box | None, colour: tuple[float, float, float] = (1.0, 0.0, 1.0)) -> Frame:
    """The frame of a sample with a box that is filled with one colour; without one as it is."""
    hole = np.zeros(sample.image.shape[:2], bool)
    if box is None:
        return Frame(sample.image, hole)
    hole[box.slices] = True
    pixels = np.tile(np.array(colour, np.float32), (box.height, box.width, 1))
    return Frame(sample.image, hole, patches=(Patch(box, pixels),))


@pytest.fixture
def fill() -> Callable[..., Frame]:
    """Give the frame of a sample with a filled box."""
    return filled


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """Write a clip: `clip("name.mp4", frames=5, ...)`."""

    def make(name: str = "clip.mp4", **settings: Any) -> Path:
        return write_clip(tmp_path / name, Clip(**settings))

    return make


@pytest.fixture
def convert() -> Callable[..., list[str]]:
    """Pass a source through a sink: `convert(source, output, box=..., start=..., codec=...)`; returns the warnings."""

    def run(
        source: Any,
        output: Any,
        *,
        box: Box | None = None,
        start: Any = None,
        end: Any = None,
        overwrite: bool = False,
        **encoding: Any,
    ) -> list[str]:
        warnings: list[str] = []
        with (
            open_source(source, start, end, warn=warnings.append) as reader,
            open_sink(output, reader, Encoding(**encoding), overwrite=overwrite, warn=warnings.append) as sink,
        ):
            for sample in reader:
                sink.write(sample, filled(sample, box))
        return warnings

    return run


@pytest.fixture
def decoded() -> Callable[[Any], list[av.VideoFrame]]:
    """Decode a file with PyAV alone."""

    def run(path: Any) -> list[av.VideoFrame]:
        with av.open(str(path)) as container:
            return list(container.decode(video=0))

    return run
