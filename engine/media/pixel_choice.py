"""Choosing the pixel format to encode in."""

from __future__ import annotations

from collections.abc import Iterable

import av

from ptfan.engine.media.pixel_layout import bits_of, has_alpha

__all__ = ["choose_format"]

_HARDWARE = {"cuda", "vaapi", "qsv", "vdpau", "vulkan", "d3d11", "d3d12", "drm_prime", "videotoolbox_vld", "mediacodec"}


def choose_format(wanted: str, offered: Iterable[str], size: tuple[int, int] | None = None) -> str | None:
    """Return the format that keeps most of another.

    Args:
        wanted: The format that the frames have.
        offered: The formats that an encoder takes.
        size: Width and height of frames that must be whole multiples of the format's chroma blocks; None when any
            size will do.

    Returns:
        `wanted` itself where it is offered; otherwise the one that loses least, and of those the smallest; None when
        there is none.
    """
    fitting = [name for name in offered if name not in _HARDWARE and (size is None or _divides(name, size))]
    if wanted in fitting:
        return wanted
    return min(fitting, key=lambda name: _loss(wanted, name), default=None)


def _divides(name: str, size: tuple[int, int]) -> bool:
    """Tell whether a format's chroma blocks divide a size."""
    wide, high = _block(name)
    return size[0] % wide == 0 and size[1] % high == 0


def _loss(wanted: str, name: str) -> tuple[int, ...]:
    """Return what is lost by going from one format to another, worst first, and then what is wasted."""
    pairs = list(zip(_block(wanted), _block(name), strict=True))
    return (
        int(av.VideoFormat(name).is_bayer),  # what a sensor sees through its colour filters is no picture yet
        int(_channels(name) < _channels(wanted)),
        int(av.VideoFormat(name).is_rgb != av.VideoFormat(wanted).is_rgb),
        int(has_alpha(wanted) and not has_alpha(name)),
        max(0, bits_of(wanted) - bits_of(name)),
        sum(max(0, other - own) for own, other in pairs),
        int(_is_full_range(wanted) != _is_full_range(name)),
        av.VideoFormat(name).bits_per_pixel,
    )


def _block(name: str) -> tuple[int, int]:
    """Return width and height, in pixels, of the block that shares a chroma sample."""
    whole = av.VideoFormat(name, 16, 16)
    return 16 // whole.chroma_width(), 16 // whole.chroma_height()


def _channels(name: str) -> int:
    """Return 1 for grey, 3 for colour."""
    return 1 if len(av.VideoFormat(name).components) <= 2 else 3


def _is_full_range(name: str) -> bool:
    """Tell whether a format is one of those of JPEG."""
    return name.startswith("yuvj")
