"""Pictures that stand for a whole file, as a cover does, beside those that move."""

from __future__ import annotations

from typing import Any

import av

__all__ = ["cover_file", "is_cover", "is_picture"]

_FILES = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
"""By codec, what Matroska calls the attached file of a cover, and its kind."""

_PICTURES = {"mjpeg", "png", "bmp", "gif", "webp"}
"""Codecs of single pictures."""


def is_cover(stream: Any) -> bool:
    """Tell whether a stream is such a picture."""
    return stream.type == "video" and bool(stream.disposition & av.stream.Disposition.attached_pic)


def is_picture(stream: Any) -> bool:
    """Tell whether a video stream may be a single picture, as a thumbnail is, though no cover.

    A stream of a camera that sends one JPEG after the other may be taken for one: ask only where there are several.
    """
    context = stream.codec_context
    return stream.frames == 1 or (context is not None and context.codec.canonical_name in _PICTURES)


def cover_file(stream: Any) -> tuple[str, str] | None:
    """Return name and media type of the file that a cover's packet is; None where it is of no usual kind."""
    context = stream.codec_context
    return _FILES.get(context.codec.canonical_name) if context and is_cover(stream) else None
