"""The containers that are known here: what each can keep of a video, and what suits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["CONTAINERS", "ROOMIEST", "Container", "container_named"]


@dataclass(frozen=True)
class Container:
    """A container that is written, by what sets it apart from others."""

    name: str
    """FFmpeg's name."""
    encoder: str = "libx264"
    """The usual encoder."""
    turns: bool = False
    """Whether it has a place for a display matrix."""
    fixed_rate: bool = False
    """Whether it keeps no time stamps, or only those of a constant rate."""
    gapless: bool = False
    """Whether no tick may be without a frame: of several small ones MPEG's programme stream dates the first only."""
    mpeg_rates: bool = False
    """Whether it keeps only the usual rates of MPEG-2, with no fractions of them."""
    reorders: bool = True
    """Whether it can tell the order of decoding from that of showing."""
    run_up: Literal["any", "known", "none"] = "any"
    """Which sound from before time 0, an encoder's run-up, it keeps without a delay of all else: any, one whose length
    the stream tells, or none, as in AVI, which has no time before 0."""
    counted: bool = False
    """Whether it has no time stamps: packets of pictures, and packets or bytes of sound, are counted instead."""
    paired: bool = False
    """Whether it holds sound beside pictures alone, and as many pictures as there is sound for."""
    text: str | None = None
    """The kind of text subtitles that it holds; None where it is not known."""
    attachments: bool = False
    """Whether it holds attached files, such as fonts and covers."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """What codecs are called in it, where FFmpeg's own choice is not played everywhere."""
    options: Mapping[str, str] = field(default_factory=dict)
    """FFmpeg's options by which it is written."""


_APPLE = {"hevc": "hvc1"}
"""Apple's players open HEVC under this name alone."""
_MATROSKA: dict[str, Any] = {
    "turns": True,
    "run_up": "known",
    "options": {"avoid_negative_ts": "disabled"},  # It must not move time stamps by itself.
}
_MPEG: dict[str, Any] = {"encoder": "mpeg2video", "fixed_rate": True, "gapless": True}

CONTAINERS: tuple[Container, ...] = (
    Container("mp4", turns=True, text="mov_text", tags=_APPLE),
    Container("mov", turns=True, text="mov_text", tags=_APPLE),
    Container("ipod", turns=True, text="mov_text"),  # What ends in .m4v.
    Container("3gp", turns=True),
    Container("3g2", turns=True),
    Container("matroska", text="subrip", attachments=True, **_MATROSKA),
    Container("webm", "libvpx-vp9", **_MATROSKA),
    # Neither has a place for the time stamps that reordered frames need; in ASF FFmpeg shows H.264 late even so.
    Container("avi", "mpeg4", fixed_rate=True, reorders=False, run_up="none", counted=True),
    Container("asf", "mpeg4", reorders=False),
    Container("ogg", fixed_rate=True, gapless=True),
    Container("ogv", "libvpx", fixed_rate=True, gapless=True),
    Container("mpeg", **_MPEG),
    Container("vob", **_MPEG),
    Container("svcd", **_MPEG),  # What ends in .vob.
    Container("dvd", **_MPEG),
    Container("mxf", mpeg_rates=True, run_up="none", counted=True, paired=True, **_MPEG),
)
ROOMIEST = "matroska"
"""The container that holds nearly everything."""


def container_named(name: str) -> Container:
    """Return the container of FFmpeg's name; one that is not listed here has nothing that sets it apart."""
    return next((container for container in CONTAINERS if container.name == name), Container(name))
