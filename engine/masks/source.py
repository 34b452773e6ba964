"""Where the hole is in every frame: masks and boxes, at the size of the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple
from fractions import Fraction
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from ptfan.engine.closing import Closing
from ptfan.engine.errors import InputError, MaskError
from ptfan.engine.frame import Box, Mask
from ptfan.engine.masks.clock import MaskClock, is_same_rate
from ptfan.engine.masks.reader import AnyMask, MaskReader, open_reader
from ptfan.engine.masks.shaping import grow_hole, scale_mask
from ptfan.engine.masks.text_finder import TextFinder
from ptfan.engine.media import Sample, StreamInfo
from ptfan.engine.notices import Warn, log_warning

__all__ = ["MaskSource", "mask_file", "mask_settings", "open_mask"]

MOST_HOLE = 0.6
"""Share of the frame above which one mask for all frames has probably been drawn black on white."""


class MaskSource(Closing):
    """The hole of every frame, at the frame's own size. A context manager.

    Args:
        reader: Masks at their own size, or None when there are only boxes.
        boxes: Rectangles that are hole in every frame.
        text: Rectangles in which text is hole.
        finder: Finds it; None when there are no such rectangles. It is closed with this.
        dilate: How far the hole is grown, pixels of the frame.
        name: What to call the mask in messages.
        warn: Takes a line about what was changed; the log without it.
    """

    def __init__(
        self,
        reader: MaskReader | None,
        boxes: Sequence[Box],
        *,
        text: Sequence[Box] = (),
        finder: TextFinder | None = None,
        dilate: int = 0,
        name: str = "mask",
        warn: Warn = log_warning,
    ) -> None:
        self.name = name
        self._reader = reader
        self._boxes = tuple(boxes)
        self._text = tuple(text)
        self._finder = finder
        self._dilate = dilate
        self._warn = warn
        self._key: tuple[int, int, int] | None = None
        self._raw: Mask | None = None
        self._hole: Mask | None = None
        self._told: set[str] = set()
        self._clock: MaskClock | None = None

    @property
    def frames(self) -> int | None:
        """How many frames there is a mask for; None when one mask serves all, or when the number is not known."""
        return None if self._reader is None else self._reader.frames

    @property
    def still(self) -> bool:
        """True when every frame has the same hole."""
        return self._one_mask and self._finder is None

    @property
    def _one_mask(self) -> bool:
        return self._reader is None or self._reader.still

    def follow(self, info: StreamInfo) -> None:
        """Match the masks to the frames of a source: one a frame, but for a mask video of another rate by time.

        Where there are as many masks as frames, each frame has its own, whatever the mask video says of its rate.

        Args:
            info: Where the frames come from.
        """
        rate = None if self._reader is None else self._reader.rate
        if self._reader is None or rate is None or info.rate is None or not info.timed:
            return
        if is_same_rate(rate, info.rate) or self._reader.frames == info.total:
            return
        times = self._reader.times()
        if times is not None:
            self._clock = MaskClock(times, info, self.name)
            self._tell(self._clock.notice)

    def at(self, index: int, width: int, height: int, time: Fraction | None = None) -> Mask:
        """Return the hole of one frame as far as it does not depend on the picture, by masks and boxes.

        Args:
            index: The frame's place in the whole video, from 0; it never goes down from call to call.
            width: The frame's width as displayed, pixels.
            height: The frame's height as displayed, pixels.
            time: When the frame is shown, seconds on its source's clock; it counts where `follow` has found that.

        Returns:
            (height, width), True in the hole; read-only, and the very same array for as long as nothing changes.

        Raises:
            MaskError: the mask cannot be read, or ends before this frame.
            InputError: a box lies outside the frame.
        """
        if self._clock is not None and time is not None:
            index = self._clock.index_of(time)
        raw = None if self._reader is None else self._reader.read(index)
        key = (id(raw), width, height)
        if self._hole is None or key != self._key:
            self._key, self._raw = key, raw  # The array is held, so that no other one can get its id.
            self._hole = self._build(raw, width, height)
        return self._hole

    def hole_of(self, sample: Sample) -> Mask:
        """Return the hole of a source's picture: what `at` returns, and the text in it where that is looked for."""
        height, width = sample.image.shape[:2]
        hole = self.at(sample.index, width, height, sample.time)
        if self._finder is None:
            return hole
        boxes = [self._clip(box, width, height, "text") for box in self._text]
        hole = hole | grow_hole(self._finder.find(sample.image, boxes, sample.index), self._dilate)
        hole.setflags(write=False)
        return hole

    def check_length(self, frames: int | None, *, first: int = 0, whole: bool = True) -> None:
        """Compare the number of masks with the number of frames, or how long they last, where both are known.

        Args:
            frames: How many frames are to be inpainted; None when unknown.
            first: The index in the whole video of the first of them.
            whole: The last of them is the video's last frame, so that masks left over mean a mistake.

        Raises:
            MaskError: there are fewer masks than frames.
        """
        if self._clock is not None:
            left = self._clock.check_length()
            if left is not None:
                self._warn(left)
            return
        if self.frames is None or frames is None:
            return
        needed = first + frames
        counts = f"mask {self.name}: {self.frames} masks, one a frame, for {needed} frames"
        if self.frames < needed:
            raise MaskError(f"{counts}; give a mask for every frame, or one image for all, or end sooner")
        if self.frames > needed and whole:
            self._warn(f"{counts}; the last {self.frames - needed} are not used")

    def close(self) -> None:
        """Release the files."""
        for part in (self._reader, self._finder):
            if part is not None:
                part.close()

    def _build(self, raw: Mask | None, width: int, height: int) -> Mask:
        hole = np.zeros((height, width), np.bool_)
        if raw is not None:
            self._check_shape(raw, width, height)
            hole |= scale_mask(raw, width, height)
        for box in self._boxes:
            hole[self._clip(box, width, height, "box").slices] = True
        hole = grow_hole(hole, self._dilate)
        if hole.all():
            self._tell(f"mask {self.name}: covers a whole frame, and nothing is left to fill it from; is it inverted?")
        elif raw is not None and self._one_mask and (share := float(raw.mean())) > MOST_HOLE:
            self._tell(f"mask {self.name}: covers {share:.0%} of the frame; is it inverted? White is what is replaced")
        hole.setflags(write=False)
        return hole

    def _check_shape(self, raw: Mask, width: int, height: int) -> None:
        mask_height, mask_width = raw.shape
        if abs(mask_width * height - mask_height * width) > max(width, height, mask_width, mask_height):
            self._tell(
                f"mask {self.name}: {mask_width}x{mask_height} is another shape than the video's {width}x{height}; "
                "stretched to fit"
            )

    def _clip(self, box: Box, width: int, height: int, what: str) -> Box:
        frame = Box(0, 0, width, height)
        text = f"{what} {box.x},{box.y},{box.width},{box.height}"
        if not box.overlaps(frame):
            raise InputError(f"{text}: outside the frame, which is {width}x{height} (as displayed)")
        clipped = box.common(frame)
        if clipped != box:
            self._tell(f"{text}: partly outside the frame, which is {width}x{height}; clipped")
        return clipped

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(text)


def open_mask(
    mask: AnyMask | None = None,
    boxes: Sequence[Box] = (),
    *,
    text: Sequence[Box] = (),
    object_id: int | None = None,
    dilate: int = 0,
    info: StreamInfo | None = None,
    warn: Warn = log_warning,
) -> MaskSource:
    """Open a mask; hole is where it or any box says so, and where there is text in what `text` names.

    Args:
        mask: One image for all frames, a folder of images in natural order, or a video (luminance above 127 is hole),
            see `MaskSource.follow`. Or an array (H, W) of bool for all frames, True in the hole. Of any size: it is
            scaled to the frame's.
        boxes: Rectangles that are hole in every frame, pixels of the frame as displayed.
        text: Rectangles in which captions and subtitles are looked for in every frame; the text alone is hole.
        object_id: Of images with a palette or lossless grey values, take only this index or value.
        dilate: Grow the hole by this many pixels of the frame, in all directions (a disc).
        info: The source that the masks belong to, see `MaskSource.follow`; without it they go by number.
        warn: Takes a line about what was changed to fit; the log without it.

    Raises:
        InputNotFoundError: there is no such file or folder.
        MaskError: it cannot be read, or is one image that lacks the object.
        InputError: nothing of all that is given, a value is out of range, or the array is none of that kind.
        MissingExtraError: text is looked for, and no backend is installed.
    """
    _check_boxes("boxes", boxes)
    _check_boxes("text", text)
    if mask is None and not boxes and not text:
        raise InputError(
            "nothing to replace: give a mask (--mask FILE), a box (--box X,Y,W,H) or where text is (--text X,Y,W,H)"
        )
    if not (isinstance(dilate, Integral) and dilate >= 0):
        raise InputError(f"dilate is {dilate!r}, expected a whole number of pixels, 0 or more")
    if mask is None and object_id is not None:
        raise InputError("an object id needs a mask to choose from; give one too")
    reader = None if mask is None else open_reader(mask, object_id)
    name = _mask_name(mask) or ("boxes" if boxes else "text")
    finder = TextFinder.open() if text else None
    masks = MaskSource(reader, boxes, text=text, finder=finder, dilate=dilate, name=name, warn=warn)
    if info is not None:
        masks.follow(info)
    return masks


def _check_boxes(what: str, boxes: Sequence[Box]) -> None:
    if not isinstance(boxes, Sequence):  # what can be gone through once, such as a generator, would be empty later
        raise InputError(f"{what} is {boxes!r}, expected a list of Box")
    for box in boxes:
        if not isinstance(box, Box):
            raise InputError(f"{what}: {box!r} in it, expected a Box, for instance Box(40, 30, 200, 80)")
        if not all(isinstance(value, Integral) for value in astuple(box)):
            raise InputError(f"{what}: {box!r} in it, expected whole pixels; round them")


def mask_file(mask: AnyMask | None) -> str | Path | None:
    """Return the file or folder that a mask is read from; None where it is an array, or there is none."""
    return None if isinstance(mask, np.ndarray) else mask


def mask_settings(
    mask: AnyMask | None, boxes: Sequence[Box], text: Sequence[Box], *, object_id: int | None, dilate: int
) -> dict[str, Any]:
    """Return what `open_mask` was asked for, as reports hold it."""
    return {
        "mask": _mask_name(mask),
        "boxes": [asdict(box) for box in boxes],
        "text": [asdict(box) for box in text],
        "object_id": object_id,
        "dilate": dilate,
    }


def _mask_name(mask: AnyMask | None) -> str | None:
    """Return what to call a mask in messages and reports; None if there is none."""
    if isinstance(mask, np.ndarray):
        return f"array of {'x'.join(map(str, reversed(mask.shape)))}"
    return None if mask is None else str(mask)
