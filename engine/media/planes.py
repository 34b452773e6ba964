"""Putting what fills a hole into the planes of a decoded frame, and leaving every other sample as it is."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Frame, Image, Mask
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.filter_chain import copy_frame
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.pixel_layout import PixelLayout, PlaneLayout

__all__ = ["composite_planes"]

_MARGIN = 8
"""Pixels converted round a patch, so that the chroma at its edge is filtered from true neighbours."""


def composite_planes(native: av.VideoFrame, frame: Frame) -> av.VideoFrame:
    """Put a frame's patches into the decoded frame, in its own pixel format and colour space.

    Samples that no pixel of the hole touches keep their bits; a chroma sample belongs to the hole when any of its
    pixels does. Alpha is left alone.

    Args:
        native: The decoded frame, turned as coded; it is not written to.
        frame: The same picture as displayed, (H, W, 3), with its hole and patches.

    Returns:
        A copy with the hole filled, or `native` itself when there is nothing to fill.
    """
    if not frame.patches or not frame.hole.any():
        return native
    picture = frame.composite()
    result = copy_frame(native)
    ColourTags.of(native).write(result)
    orientation = Orientation.of(native)
    for patch in frame.patches:
        region = _region(patch.box, orientation, native)
        shown = orientation.apply_box(region, picture.shape[1], picture.shape[0]).slices
        fill = np.zeros_like(frame.hole)
        fill[patch.box.slices] = frame.hole[patch.box.slices]
        _write(result, region, orientation.undo(picture[shown]), orientation.undo(fill[shown]))
    return result


def _region(box: Box, orientation: Orientation, native: av.VideoFrame) -> Box:
    """Return a patch's box in the coded picture, with a margin, on the grid of the format's blocks."""
    coded = orientation.undo_box(box, *orientation.size(native.width, native.height))
    wide, high = PixelLayout.of(native.format.name).block
    left, top = max(0, coded.x - _MARGIN) // wide * wide, max(0, coded.y - _MARGIN) // high * high
    right = min(native.width, _round_up(coded.right + _MARGIN, wide))
    bottom = min(native.height, _round_up(coded.bottom + _MARGIN, high))
    return Box(left, top, right - left, bottom - top)


def _write(target: av.VideoFrame, region: Box, picture: Image, hole: Mask) -> None:
    """Write the pixels of a region's hole into a frame's planes."""
    layout = PixelLayout.of(target.format.name)
    wide, high = layout.block
    pad = ((0, -picture.shape[0] % high), (0, -picture.shape[1] % wide))
    padded = np.pad(picture, (*pad, (0, 0)), mode="edge")
    source = _convert(padded, target)
    for index, plane in enumerate(layout.planes):
        where = _groups(np.pad(hole, pad), plane)
        _write_plane(target.planes[index], source.planes[index], plane, region, where)


def _convert(picture: Image, like: av.VideoFrame) -> av.VideoFrame:
    """Convert an RGB picture to the format and colour space of a frame."""
    layout = "rgb24" if picture.dtype == np.uint8 else "rgb48le"
    frame = av.VideoFrame.from_ndarray(picture, format=layout)
    ColourTags.of(like).write(frame)
    return frame.reformat(format=like.format.name, threads=1)


def _groups(hole: Mask, plane: PlaneLayout) -> Mask:
    """Tell for each of a plane's groups whether any pixel of its block lies in the hole."""
    wide, high = plane.block
    blocks = hole.reshape(hole.shape[0] // high, high, hole.shape[1] // wide, wide)
    return np.asarray(blocks.any(axis=(1, 3)))


def _write_plane(
    target: av.video.plane.VideoPlane, source: av.video.plane.VideoPlane, plane: PlaneLayout, region: Box, where: Mask
) -> None:
    """Copy the bytes of the groups that lie in the hole, alpha excepted, from a region's plane to the frame's."""
    rows = slice(region.y // plane.block[1], None)
    columns = slice(region.x // plane.block[0] * plane.group, None)
    inside, new = _rows(target)[rows, columns], _rows(source)
    alpha = np.tile(np.array(plane.alpha), where.shape[1])
    colour = np.repeat(where, plane.group, axis=1) & ~alpha
    height, width = min(where.shape[0], inside.shape[0]), min(colour.shape[1], inside.shape[1])
    chosen = colour[:height, :width]
    inside[:height, :width][chosen] = new[:height, :width][chosen]


def _rows(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """Return a plane's memory as (rows, bytes a row), padding included; it can be written to."""
    memory: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8)
    return memory.reshape(-1, plane.line_size)


def _round_up(value: int, step: int) -> int:
    """Return the first multiple of a step that is not below a value."""
    return -(-value // step) * step
