"""Putting what fills a hole into the planes of a decoded frame, and leaving every other sample as it is."""

from __future__ import annotations

import av
import numpy as np

from ptfan.engine.frame import Box, Frame, Image, Mask
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.filter_chain import copy_frame
from ptfan.engine.media.orientation import UPRIGHT, Orientation
from ptfan.engine.media.pixel_layout import PixelLayout, PlaneLayout, plane_rows
from ptfan.engine.media.rgb_writer import write_rgb

__all__ = ["composite_planes"]

_MARGIN = 8
"""Pixels converted round a patch, so that the chroma at its edge is filtered from true neighbours."""


def composite_planes(native: av.VideoFrame, frame: Frame, orientation: Orientation = UPRIGHT) -> av.VideoFrame:
    """Put a frame's patches into the decoded frame, in its own pixel format and colour space.

    Samples that no pixel of the hole touches keep their bits; a chroma sample belongs to the hole when any of its
    pixels does. Alpha is left alone.

    Args:
        native: The decoded frame, turned as coded; it is not written to.
        frame: The same picture as displayed, (H, W, 3), with its hole and patches.
        orientation: How the source's pictures are turned to be shown.

    Returns:
        A copy with the hole filled, or `native` itself when there is nothing to fill.
    """
    if not frame.patches or not frame.hole.any():
        return native
    result = copy_frame(native)
    ColourTags.of(native).write(result)
    height, width = frame.hole.shape
    for patch in frame.patches:
        region = _region(patch.box, orientation, native)
        shown = orientation.apply_box(region, width, height)
        fill = np.zeros((shown.height, shown.width), bool)
        fill[patch.box.seen_from(shown).slices] = frame.hole[patch.box.slices]
        _write(result, region, orientation.undo(frame.composite_in(shown)), orientation.undo(fill))
    return result


def _region(box: Box, orientation: Orientation, native: av.VideoFrame) -> Box:
    """Return a patch's box in the coded picture, with a margin, on the grid of the format's blocks."""
    wide, high = PixelLayout.of(native.format.name).block
    coded = orientation.undo_box(box, *orientation.size(native.width, native.height))
    picture = Box(0, 0, native.width, native.height)
    near = coded.grown(_MARGIN, picture)
    left, top = near.x // wide * wide, near.y // high * high
    right, bottom = _round_up(near.right, wide), _round_up(near.bottom, high)
    return Box(left, top, right - left, bottom - top).common(picture)


def _write(target: av.VideoFrame, region: Box, picture: Image, hole: Mask) -> None:
    """Write the pixels of a region's hole into a frame's planes."""
    layout = PixelLayout.of(target.format.name)
    wide, high = layout.block
    pad = ((0, -hole.shape[0] % high), (0, -hole.shape[1] % wide))
    if np.any(pad):  # the picture's edge cuts through a block
        picture, hole = np.pad(picture, (*pad, (0, 0)), mode="edge"), np.pad(hole, pad)
    source = write_rgb(picture, target.format.name, ColourTags.of(target))
    for index, plane in enumerate(layout.planes):
        _write_plane(target.planes[index], source.planes[index], plane, region, _groups(hole, plane))


def _groups(hole: Mask, plane: PlaneLayout) -> Mask:
    """Tell for each of a plane's groups whether any pixel of its block lies in the hole."""
    wide, high = plane.block
    groups: Mask = hole[::high, ::wide].copy()
    for row in range(high):
        for column in range(wide):
            groups |= hole[row::high, column::wide]
    return groups


def _write_plane(
    target: av.video.plane.VideoPlane, source: av.video.plane.VideoPlane, plane: PlaneLayout, region: Box, where: Mask
) -> None:
    """Copy the bytes of the groups that lie in the hole, alpha excepted, from a region's plane to the frame's."""
    rows = slice(region.y // plane.block[1], None)
    columns = slice(region.x // plane.block[0] * plane.group, None)
    inside, new = plane_rows(target)[rows, columns], plane_rows(source)
    chosen = np.repeat(where, plane.group, axis=1)
    if any(plane.alpha):
        chosen &= ~np.tile(np.array(plane.alpha), where.shape[1])
    height, width = min(chosen.shape[0], inside.shape[0]), min(chosen.shape[1], inside.shape[1])
    np.copyto(inside[:height, :width], new[:height, :width], where=chosen[:height, :width])


def _round_up(value: int, step: int) -> int:
    """Return the first multiple of a step that is not below a value."""
    return -(-value // step) * step
