"""What is shown while there is nothing to show."""

from __future__ import annotations

import av
import cv2
import numpy as np

from ptfan.engine.live.retimer import TIME_BASE
from ptfan.engine.media import StreamInfo
from ptfan.engine.media.colour import ColourTags
from ptfan.engine.media.rgb_writer import write_rgb

__all__ = ["make_slate"]

GREY, WHITE = 40, (220, 220, 220)
TEXT = "no signal"


def make_slate(like: av.VideoFrame, info: StreamInfo) -> av.VideoFrame:
    """Return a dark frame of another one's size and format that says so.

    Args:
        like: A frame of the stream, turned as coded.
        info: What is known of the stream.
    """
    picture = np.full((info.height, info.width, 3), GREY, np.uint8)
    scale = info.width / 400
    (width, height), _ = cv2.getTextSize(TEXT, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    place = ((info.width - width) // 2, (info.height + height) // 2)
    cv2.putText(picture, TEXT, place, cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, max(1, round(scale)), cv2.LINE_AA)
    coded = info.orientation.undo(picture)
    frame = write_rgb(np.ascontiguousarray(coded), like.format.name, ColourTags.of(like))
    frame.time_base = like.time_base or TIME_BASE
    return frame
