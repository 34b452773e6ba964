"""The video encoders that are known here: their names, and what quality means to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ptfan.engine.errors import InputError
from ptfan.engine.media.colour import BT601, LIMITED, RGB, UNSPECIFIED, ColourTags
from ptfan.engine.media.hdr import Hdr

__all__ = ["DEFAULT_QUALITY", "ENCODERS", "Encoder", "encoder_named"]

DEFAULT_QUALITY = 16
"""On the scale of x264's CRF, where 0 is lossless: hard to tell from the source."""


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg, and how it is told what is wanted."""

    name: str
    """FFmpeg's name."""
    options: Callable[[int], dict[str, str]]
    """From a quality on the scale of x264's CRF to the encoder's options."""
    speed: tuple[str, str] | None = None
    """The option that sets the speed, and the value that suits best; None where there is none."""
    speeds: tuple[str, ...] = ()
    """The values that it takes, where it would print a complaint of its own about others; empty for any."""
    lossless: bool = False
    """Whether it keeps every sample, whatever the quality."""
    fixed_rate: bool = False
    """Whether frames can only come at a constant rate."""
    coarse_time: bool = False
    """Whether it counts no more than 65535 ticks a second."""
    whole_blocks: bool = False
    """Whether the size must be a multiple of the blocks that share a chroma sample."""
    formats: tuple[str, ...] = ()
    """The pixel formats to choose from; empty for all that FFmpeg lists."""
    alpha: tuple[str, ...] | None = None
    """Those with alpha that it opens; None for all that FFmpeg lists."""
    hdr: tuple[str, str, str] | None = None
    """The option that takes its own parameters, and what it calls HDR10's mastering display and light levels among
    these; None where it takes no such thing."""
    needs: str = ""
    """What it does not work without."""
    limited: bool = False
    """Whether its pictures are shown as limited range (16 to 235), whatever they are."""
    matrix: int | None = None
    """The colour matrix that its pictures are shown with, whatever theirs is; None where it can be told."""

    def settings(self, quality: int | None, preset: str | None) -> dict[str, str]:
        """Return the options for a quality and a preset; None stands for the default.

        Raises:
            InputError: there is no such preset.
        """
        numbered = preset in tuple("0123456789")
        if preset is not None and self.speeds and preset not in self.speeds and not numbered:
            raise InputError(f"preset {preset!r}: {self.name} has none of that name; expected {', '.join(self.speeds)}")
        chosen = self.options(DEFAULT_QUALITY if quality is None else quality)
        if self.speed:
            chosen[self.speed[0]] = preset or self.speed[1]
        return chosen

    def hdr_options(self, hdr: Hdr, chosen: Mapping[str, str]) -> dict[str, str]:
        """Return the option that keeps HDR10's metadata, with what was chosen for it already; none where it cannot."""
        if self.hdr is None:
            return {}
        option, display, light = self.hdr
        said = [f"{name}={value}" for name, value in ((display, hdr.display), (light, hdr.light)) if value]
        return {option: ":".join([chosen[option], *said] if option in chosen else said)}

    def colour_of(self, tags: ColourTags) -> ColourTags:
        """Return the colours that pictures of some colours must be given, so that they are shown as they were."""
        if tags.space == RGB:
            return tags
        space = self.matrix if self.matrix is not None and tags.space != UNSPECIFIED else tags.space
        return replace(tags, space=space, range=LIMITED if self.limited and tags.range else tags.range)

    def is_exact(self, quality: int | None) -> bool:
        """Tell whether decoding gives back every sample that went in."""
        return self.lossless or quality == 0


def _x264(quality: int) -> dict[str, str]:
    return {"crf": str(quality)} if quality else {"qp": "0"}


def _x265(quality: int) -> dict[str, str]:
    rate = f"crf={quality + 2}" if quality else "lossless=1"
    return {"x265-params": f"log-level=none:{rate}"}


def _vp9(quality: int) -> dict[str, str]:
    rate = {"crf": str(min(63, round(quality * 1.25))), "b": "0"} if quality else {"lossless": "1"}
    return {"deadline": "realtime", "row-mt": "1", **rate}


def _vp8(quality: int) -> dict[str, str]:
    # VP8's CRF only steers within a bit rate, so that one must be given; this one is out of reach.
    # What has alpha is refused unless alternate frames are off, as they are in libvpx itself.
    return {"deadline": "realtime", "crf": str(max(4, min(63, quality))), "b": "100M", "auto-alt-ref": "0"}


def _av1(quality: int) -> dict[str, str]:
    return {"crf": str(min(63, round(quality * 1.4)))} if quality else {"svtav1-params": "lossless=1"}


def _quantizer(quality: int) -> dict[str, str]:
    # A fixed step between equal bounds; FFmpeg's own flag for it needs a quality on each frame, which PyAV cannot set.
    scale = str(max(1, min(31, round(quality / 8))))
    return {"qmin": scale, "qmax": scale}


def _nvenc(quality: int) -> dict[str, str]:
    # Without a bit rate of 0 the quality is sought within FFmpeg's default of 2 Mbit/s.
    return {"rc": "vbr", "cq": str(quality), "b": "0"} if quality else {"tune": "lossless"}


def _nothing(quality: int) -> dict[str, str]:
    return {}


def _dnxhr(quality: int) -> dict[str, str]:
    # The profile sets the rate, whatever the quality; without one the older DNxHD is meant, of few sizes and rates.
    return {"profile": "dnxhr_hqx"}


def _ffv1(quality: int) -> dict[str, str]:
    return {"level": "3", "slicecrc": "1"}


_X26_SPEEDS: tuple[str, ...] = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
_X26_SPEEDS += ("veryslow", "placebo")
_X264_HDR = ("x264-params", "mastering-display", "cll")
_X265_HDR = ("x265-params", "master-display", "max-cll")

ENCODERS: tuple[Encoder, ...] = (
    Encoder("libx264", _x264, ("preset", "veryfast"), _X26_SPEEDS, whole_blocks=True, hdr=_X264_HDR),
    Encoder("libx264rgb", _x264, ("preset", "veryfast"), _X26_SPEEDS),
    Encoder("libx265", _x265, ("preset", "veryfast"), _X26_SPEEDS, whole_blocks=True, alpha=(), hdr=_X265_HDR),
    Encoder("libsvtav1", _av1, ("preset", "8")),
    Encoder("libvpx-vp9", _vp9, ("cpu-used", "6"), alpha=("yuva420p",)),
    Encoder("libvpx", _vp8, ("cpu-used", "6"), limited=True, matrix=BT601),
    Encoder("ffv1", _ffv1, lossless=True),
    Encoder("utvideo", _nothing, lossless=True),
    Encoder("huffyuv", _nothing, lossless=True),
    Encoder("ffvhuff", _nothing, lossless=True),
    Encoder("qtrle", _nothing, lossless=True),
    Encoder("png", _nothing, lossless=True),
    Encoder("apng", _nothing, lossless=True),
    Encoder("rawvideo", _nothing, lossless=True),
    Encoder("prores_ks", _nothing, limited=True),
    Encoder("dnxhd", _dnxhr, formats=("yuv422p10le",), needs="256x120 pixels or more"),
    Encoder("mjpeg", _quantizer, formats=("yuvj420p", "yuvj422p", "yuvj444p"), matrix=BT601),
    Encoder("mpeg4", _quantizer, coarse_time=True, limited=True),
    Encoder("mpeg2video", _quantizer, fixed_rate=True, limited=True),
    Encoder("mpeg1video", _quantizer, fixed_rate=True, limited=True),
)
"""Best first: of those that a container takes, the first ones are named when another one is refused."""

_GPU = "an NVIDIA GPU and its driver"
_NVENC: tuple[Encoder, ...] = (
    Encoder("h264_nvenc", _nvenc, ("preset", "p4"), whole_blocks=True, formats=("yuv420p", "yuv444p"), needs=_GPU),
    Encoder("hevc_nvenc", _nvenc, ("preset", "p4"), whole_blocks=True, formats=("yuv420p", "p010le"), needs=_GPU),
    Encoder("av1_nvenc", _nvenc, ("preset", "p4"), whole_blocks=True, formats=("yuv420p", "p010le"), needs=_GPU),
)
"""Those of a GPU, which are taken when they are named."""

_SHORT = {"h264": "libx264", "x264": "libx264", "avc": "libx264", "h265": "libx265", "hevc": "libx265"}
_SHORT |= {
    "x265": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "vp8": "libvpx",
    "prores": "prores_ks",
    "dnxhr": "dnxhd",
}


def encoder_named(name: str) -> Encoder:
    """Return the encoder of a name, FFmpeg's or a codec's; one that is not listed here gets no options."""
    full = _SHORT.get(name.lower(), name)
    return next((encoder for encoder in ENCODERS + _NVENC if encoder.name == full), Encoder(full, _nothing))
