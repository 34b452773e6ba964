"""The endings of file names that stand for videos and images."""

from __future__ import annotations

from pathlib import Path

__all__ = ["IMAGE_ENDINGS", "VIDEO_ENDINGS", "has_image_ending", "has_video_ending", "is_mask_image"]

VIDEO_ENDINGS: tuple[str, ...] = (
    *("mp4", "mkv", "mov", "webm", "avi", "m4v", "ts", "mts", "m2ts", "mpg", "mpeg", "vob", "flv"),
    *("wmv", "asf", "3gp", "3g2", "ogv", "mxf", "nut", "y4m"),
)
"""Endings that name a video container, the usual ones first, or Y4M."""
IMAGE_ENDINGS: tuple[str, ...] = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "ppm", "pgm", "pnm", "jp2")
"""Endings that name an image."""
_MASK_ENDINGS = (*IMAGE_ENDINGS, "gif", "pbm")
"""Endings of images that are masks."""


def has_video_ending(path: Path) -> bool:
    """Tell whether a name ends as that of a video does."""
    return path.suffix.lower().lstrip(".") in VIDEO_ENDINGS


def has_image_ending(path: Path) -> bool:
    """Tell whether a name ends as that of a still picture does."""
    return path.suffix.lower().lstrip(".") in IMAGE_ENDINGS


def is_mask_image(path: Path) -> bool:
    """Tell whether a file counts as a mask in a folder; others (notes, thumbnails' databases) are passed over."""
    return path.suffix.lower().lstrip(".") in _MASK_ENDINGS
