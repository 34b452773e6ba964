"""Which crops a stream's windows are seen through: they stay for as long as they fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ptfan.engine.frame import Frame, Mask
from ptfan.engine.prepare.crop import Crop, CropRules, plan_crops
from ptfan.engine.prepare.crop_view import CropView

__all__ = ["CropTracker"]

MOST_AREA = 1.5
"""How many times the area that is needed crops may cover before they are chosen anew."""


class CropTracker:
    """Keeps the crops while they still fit: one that jumps would show in the result, and cost its flow again.

    Args:
        rules: What crops may look like.
        new_view: Makes the view of a crop that is new.
    """

    def __init__(self, rules: CropRules, new_view: Callable[[Crop], CropView]) -> None:
        self._rules, self._new_view = rules, new_view
        self._views: list[CropView] = []
        self._hole: Mask | None = None

    def clear(self) -> None:
        """Forget all crops: another scene begins."""
        self._views.clear()

    def views(self, frames: Sequence[Frame]) -> list[CropView]:
        """Return the crops that show the holes of these frames; those that no longer fit are chosen anew."""
        # Of a hole that stands still, all frames may share one mask.
        hole = np.logical_or.reduce(list({id(frame.hole): frame.hole for frame in frames}.values()))
        if self._views and self._hole is not None and np.array_equal(hole, self._hole):
            return self._views
        self._hole = hole
        wanted = plan_crops(hole, self._rules)
        if not (self._views and _still_fits([view.crop for view in self._views], wanted, hole)):
            kept = {view.crop: view for view in self._views}
            self._views = [kept.get(crop) or self._new_view(crop) for crop in wanted]
        return self._views


def _still_fits(crops: list[Crop], wanted: list[Crop], hole: Mask) -> bool:
    """Tell whether the crops show the whole hole with some context left, and are not far larger than they must be."""
    area = sum(crop.box.width * crop.box.height for crop in crops)
    if area > MOST_AREA * sum(crop.box.width * crop.box.height for crop in wanted):
        return False
    height, width = hole.shape
    rest = hole.copy()
    for crop in crops:
        inset = min(crop.box.width, crop.box.height) // 8
        left = crop.box.x + (inset if crop.box.x else 0)
        top = crop.box.y + (inset if crop.box.y else 0)
        right = crop.box.right - (inset if crop.box.right < width else 0)
        bottom = crop.box.bottom - (inset if crop.box.bottom < height else 0)
        rest[top:bottom, left:right] = False
    return not rest.any()
