"""Decoding on a device: what goes wrong without one, and on a stand-in that hands frames over as devices do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, UnreadableError
from ptfan.engine.live.feed import FeedOptions, open_feed
from ptfan.engine.media import open_source
from ptfan.engine.media.hardware import HardwareDecoding
from ptfan.engine.media.span import Span
from ptfan.engine.media.video_source import VideoSource

Clips = Callable[..., Path]
QUARTER = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
SEMIPLANAR = {"yuv420p": "nv12", "yuvj420p": "nv12", "yuv422p": "nv16", "yuv444p": "nv24", "yuv420p10le": "p010le"}
KINDS: list[dict[str, Any]] = [
    {},
    {"codec": "libx264", "colour": (1, 1, 1, 1)},
    {"codec": "libx264", "colour": (1, 2, 1, 1)},
    {"codec": "libx265", "pixel_format": "yuv420p10le"},
    {"codec": "libx264", "pixel_format": "yuv422p"},
    {"codec": "libx264", "pixel_format": "yuv444p"},
    {"codec": "mpeg2video", "width": 62, "height": 46},
    {"codec": "libx264", "matrix": QUARTER},
]


@dataclass(frozen=True)
class StandIn(HardwareDecoding):
    """A device whose decoder is the CPU's; its frames come as a GPU's do, chroma in one plane, of a plain format."""

    def open(self) -> Any:
        return None

    def decodes(self, stream: av.VideoStream) -> bool:
        return True

    def plain(self, frame: av.VideoFrame, codec: str, scaler: VideoReformatter) -> av.VideoFrame:
        kind, told = SEMIPLANAR[frame.format.name], frame.color_range
        handed = frame.reformat(format=kind, src_color_range=2, dst_color_range=2)
        handed.color_range = told
        return super().plain(handed, codec, scaler)


def planes(frame: Any) -> list[NDArray[np.uint8]]:
    """The samples, without what pads the lines."""
    deep = 2 if max(part.bits for part in frame.format.components) > 8 else 1
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width * deep]
        for plane in frame.planes
    ]


def check_same(path: Path, hardware: HardwareDecoding) -> None:
    """Check that a device gives to the sample what the CPU's decoder gives."""
    usual, other = (VideoSource(str(path), Span(), print, device) for device in (None, hardware))
    assert other.info == usual.info
    count = 0
    for expected, got in zip(usual, other, strict=True):
        assert isinstance(expected.native, av.VideoFrame)
        assert isinstance(got.native, av.VideoFrame)
        np.testing.assert_array_equal(got.image, expected.image)
        assert (got.pts, got.native.format.name) == (expected.pts, expected.native.format.name)
        assert got.native.color_range == expected.native.color_range
        for mine, theirs in zip(planes(got.native), planes(expected.native), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        count += 1
    assert count == 10


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_frames_are_those_of_the_software_decoder(kind: dict[str, Any], clip: Clips) -> None:
    check_same(clip("a.mp4", **kind), StandIn("cuda"))


def test_a_live_source_is_decoded_by_it_too(clip: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HardwareDecoding, "parse", lambda text: StandIn("cuda"))
    path = clip("a.mp4")
    feed = open_feed(str(path), FeedOptions(hwaccel="cuda"), print)
    assert feed.info.pixel_format == "yuv420p"
    assert [frame.format.name for frame in feed.frames()] == ["yuv420p"] * 10
    feed.close()


def test_kinds_that_no_decoder_works_by() -> None:
    for text in ("dxva2", "nonsense", "", "drm", "none"):
        with pytest.raises(InputError, match=rf"^hwaccel '{text}': no decoder of this FFmpeg, .*; expected \w+"):
            HardwareDecoding.parse(text)
    with pytest.raises(InputError, match=r"no decoder of this FFmpeg"):
        FeedOptions(hwaccel="nonsense")
    assert HardwareDecoding.parse(None) is None


def test_a_device_is_named_as_ffmpeg_names_it() -> None:
    found = HardwareDecoding.parse("cuda:1")
    assert found == HardwareDecoding("cuda", "1")
    assert str(found) == "cuda:1"


def without_a_device() -> None:
    try:
        HWAccel("cuda").create(av.Codec("h264", "r"))
    except av.FFmpegError:
        return
    pytest.skip("there is an NVIDIA GPU")


def test_a_device_that_is_not_there_is_told_and_nothing_falls_back(clip: Clips) -> None:
    without_a_device()
    path = str(clip("a.mp4"))
    line = r"^hwaccel cuda: this machine has no such device, or no driver for it \(.+\); leave it out$"
    with pytest.raises(UnreadableError, match=line):
        open_source(path, hwaccel="cuda")
    with pytest.raises(UnreadableError, match=line):
        open_feed(path, FeedOptions(hwaccel="cuda"), print)


def test_what_is_not_coded_is_not_decoded_by_a_device(tmp_path: Path) -> None:
    for name in ("-", str(tmp_path)):
        with pytest.raises(InputError, match=r"hwaccel cuda decodes videos, and this is none that is coded"):
            open_source(name, hwaccel="cuda")
    with pytest.raises(InputError, match=r"^-: hwaccel cuda decodes videos, and this is none that is coded; leave it"):
        open_feed("-", FeedOptions(hwaccel="cuda"), print)


class NotThere(HardwareDecoding):
    """A device that is not asked whether it is there."""

    def open(self) -> Any:
        return HWAccel(self.kind, allow_software_fallback=False)


def test_a_codec_that_the_device_does_not_decode(clip: Clips) -> None:
    path = clip("a.mkv", codec="ffv1")
    with pytest.raises(UnreadableError, match=r"a.mkv: hwaccel cuda cannot decode it; leave it out$"):
        VideoSource(str(path), Span(), print, NotThere("cuda"))


def test_only_the_stream_that_is_wanted_counts(clip: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV is content when any stream is decoded by the device: a cover picture, for instance."""
    monkeypatch.setattr(StandIn, "decodes", HardwareDecoding.decodes)
    with pytest.raises(UnreadableError, match=r"a.mp4: hwaccel cuda cannot decode it; leave it out$"):
        VideoSource(str(clip("a.mp4")), Span(), print, StandIn("cuda"))


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            av.error.ExternalError(542398533, "Generic error"),
            r"hwaccel cuda cannot decode it \(Generic error\); leave it",
        ),
        (av.InvalidDataError(1094995529, "Invalid data"), r"cut short; or hwaccel cuda cannot decode its kind of pict"),
    ],
)
def test_pictures_that_the_device_does_not_decode(
    error: Exception, line: str, clip: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(StandIn, "plain", fail)
    with pytest.raises(InputError, match=line):
        VideoSource(str(clip("a.mp4")), Span(), print, StandIn("cuda"))


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.get("codec") != "mpeg2video"], ids=str)
def test_a_gpu_decodes_as_the_cpu_does(kind: dict[str, Any], clip: Clips) -> None:
    """But for MPEG-2, which leaves open how decoders round."""
    hardware = HardwareDecoding("cuda")
    try:
        hardware.open()
    except UnreadableError as error:
        pytest.skip(f"needs a GPU that decodes: {error}")
    path = clip("a.mp4", **{"width": 256, "height": 160, **kind})
    try:
        check_same(path, hardware)
    except InputError as error:  # few GPUs decode more colour than 4:2:0; what they do not, they must say
        if "hwaccel cuda cannot decode" not in str(error) or "yuv420p" in kind.get("pixel_format", "yuv420p"):
            raise
