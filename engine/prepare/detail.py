"""Detail that scaling a crop down takes away: carried into the hole along the flow, at the source's own resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Frame, Mask, hole_box
from ptfan.engine.prepare.carrier import sampled_sharply
from ptfan.engine.prepare.carry_rules import CarryRules, sureness
from ptfan.engine.prepare.crop import Crop
from ptfan.engine.prepare.flow import FlowPair, GuideImage, Step
from ptfan.engine.prepare.texture import LEAST, spread
from ptfan.engine.prepare.validity import pixel_axes

__all__ = ["Details", "Look", "Plane"]

DEEP = np.float32(2)
"""Pixels of the source from the nearest known one at which texture is all there."""
LIMIT = 0.03
"""What texture stays below: feathers before a blurred wall would leave specks on it."""

Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Look:
    """A frame, and what its crop shows scaled down."""

    frame: Frame
    """The frame."""
    guide: GuideImage
    """(h, w), as `guide_image` returns it."""
    hole: Mask
    """(h, w), as `Crop.extract` returns it."""


@dataclass(frozen=True, eq=False)
class _Detail:
    """Detail of a crop, or of a part of it, at the source's resolution."""

    luminance: Plane
    """(H, W): by how much luminance, in [0, 1], differs from what enlarging the scaled crop gives; 0 where unknown."""
    confidence: Plane
    """(H, W): 1 where it is known, 0 where nothing arrived."""

    def place(self, arrival: _Detail, box: Box) -> None:
        """Put what arrived in a box where nothing is known."""
        unknown = (self.confidence[box.slices] == 0).view(np.uint8)
        for whole, part in (self.luminance, arrival.luminance), (self.confidence, arrival.confidence):
            whole[box.slices] = cv2.copyTo(part, unknown, whole[box.slices].copy())


class Details:
    """The detail of one crop's frames, call after call of one stream.

    The network sees a large crop scaled down, and what it fills the hole with is soft when it is enlarged. What that
    lacks is carried into the hole along the flow, as colours are. Where none arrives, it is the texture of the nearest
    known pixels. Luminance alone is carried: most sources have no more of colour, and the eye sees no more.

    Args:
        crop: Where it lies, and how far it is scaled down.
    """

    def __init__(self, crop: Crop) -> None:
        self._crop, self._rules = crop, CarryRules()
        self._before: _Detail | None = None
        self._next = 0

    def of(self, looks: Sequence[Look], flows: Sequence[FlowPair], *, first: int, keep: range) -> list[Plane | None]:
        """Return the detail of the kept frames of a part of the stream.

        Args:
            looks: T frames.
            flows: T - 1 pairs; pair t lies between frames t and t + 1.
            first: the number of the first frame in the stream; it never goes down from call to call.
            keep: places of the frames whose detail is wanted; one call's follow those of the call before.

        Returns:
            T planes (h, w), to be added to what fills the frame's hole within the crop, in the box round that hole.
            None for frames without a hole there, and for those that are not kept.
        """
        if self._crop.size == (self._crop.box.width, self._crop.box.height):
            return [None] * len(looks)
        later = self._from_later(looks, flows, keep)
        planes: list[Plane | None] = [None] * len(looks)
        for t in range(max(0, self._next - first), keep.stop):
            detail, box = self._known(looks[t])
            if box is not None:
                arrival = self._arrival(self._before, flows[t - 1].back if t else None, box)
                if t in keep:
                    planes[t] = self._completed(looks[t].frame, detail, _mixed(arrival, later.get(t)), box)
                detail.place(arrival, box)
            self._before = detail
        self._next = first + keep.stop
        return planes

    def _from_later(self, looks: Sequence[Look], flows: Sequence[FlowPair], keep: range) -> dict[int, _Detail]:
        """Return what arrives in the holes of kept frames from those after them, by their places in the part.

        Nothing where no more are kept than come after those: looking at all these would cost too much then.
        """
        arrivals: dict[int, _Detail] = {}
        if len(keep) <= max(1, len(looks) - keep.stop):
            return arrivals
        after: _Detail | None = None
        for t in range(len(looks) - 1, keep.start - 1, -1):
            detail, box = self._known(looks[t])
            if box is not None:
                arrivals[t] = self._arrival(after, flows[t].ahead if t < len(flows) else None, box)
                detail.place(arrivals[t], box)
            after = detail
        return arrivals

    def _known(self, look: Look) -> tuple[_Detail, Box | None]:
        """Return the detail that a frame shows, and the box of what it does not; None where it shows all."""
        box, (width, height) = self._crop.box, self._crop.size
        size = box.width, box.height
        luminance = cv2.cvtColor(look.frame.image[box.slices], cv2.COLOR_RGB2GRAY)
        scaled = look.guide[:height, :width] * np.float32(1 / 255)
        fine = luminance * np.float32(1.0 / np.iinfo(luminance.dtype).max)
        fine -= cv2.resize(scaled, size, interpolation=cv2.INTER_CUBIC)
        there = np.where(look.hole[:height, :width], np.float32(0), np.float32(1))
        known: Plane = cv2.resize(there, size, interpolation=cv2.INTER_NEAREST)
        fine *= known
        return _Detail(fine, known), hole_box(known == 0)

    def _arrival(self, other: _Detail | None, step: Step | None, box: Box) -> _Detail:
        """Return what a step leads to in a box."""
        if other is None or step is None:
            return _Detail(*np.zeros((2, box.height, box.width), np.float32))
        x, y, kept = self._enlarged(step, box)
        confidence = kept * cv2.remap(other.confidence, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        confidence *= confidence >= self._rules.faint
        luminance = np.zeros_like(confidence)
        arriving = np.flatnonzero(confidence)
        if arriving.size:
            places, found = sampled_sharply(other.luminance, x, y, arriving)
            luminance.reshape(-1)[places] = found
        return _Detail(luminance, confidence)

    def _enlarged(self, step: Step, box: Box) -> tuple[Plane, Plane, Plane]:
        """Return where the pixels of a box lead to, x and y at the source's resolution, and what confidence is kept."""
        crop, (width, height) = self._crop, self._crop.size
        wide, high = crop.box.width / width, crop.box.height / height
        whole = step.flow[..., 0], step.flow[..., 1], step.valid.astype(np.float32)
        planes = whole if step.doubt is None else (*whole, step.doubt)
        scaled = cv2.merge([np.ascontiguousarray(plane[:height, :width]) for plane in planes])
        place = np.array([[1 / wide, 0, (box.x + 0.5) / wide - 0.5], [0, 1 / high, (box.y + 0.5) / high - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        enlarged = cv2.warpAffine(scaled, place, (box.width, box.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        u, v, valid, *doubt = cv2.split(enlarged)
        x, y = pixel_axes(box.height, box.width)
        kept = self._rules.kept(valid > 0.5, doubt[0] if doubt else None)
        return u * np.float32(wide) + (x + box.x), v * np.float32(high) + (y + box.y), kept

    def _completed(self, frame: Frame, known: _Detail, arrival: _Detail, box: Box) -> Plane | None:
        """Return the detail in the box round a frame's hole: what arrived, as far as it is sure, else texture."""
        inner = hole_box(frame.hole[self._crop.box.slices])
        if inner is None:
            return None
        completed = known.luminance.copy()
        part, sure = completed[box.slices], sureness(arrival.confidence)
        part += (known.confidence[box.slices] == 0) * sure * arrival.luminance
        if (sure < 1 - LEAST).any():
            part += (1 - sure) * _texture(known)
        return np.array(completed[inner.slices])


def _texture(known: _Detail) -> Plane:
    """Return the texture of what is known where nothing is, in the box round that."""
    found = spread(known.confidence == 0, lambda near, _: known.luminance[near.slices], LIMIT)
    if found is None:
        return np.zeros_like(known.luminance)
    _, texture, distance = found
    return np.asarray(texture * np.minimum(distance / DEEP, 1.0), np.float32)


def _mixed(one: _Detail, other: _Detail | None) -> _Detail:
    """Mix two arrivals by the square of their confidence, as colours are mixed; the larger confidence remains."""
    if other is None:
        return one
    first, second = one.confidence**2, other.confidence**2
    mixed = (one.luminance * first + other.luminance * second) / np.maximum(first + second, np.float32(1e-6))
    return _Detail(mixed, np.maximum(one.confidence, other.confidence))
