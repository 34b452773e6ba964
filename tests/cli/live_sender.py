"""A sender in a process of its own: `live_sender.py URL FIRST COUNT RATE` sends frames that carry their numbers."""

from __future__ import annotations

import sys
import time
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 64
BITS, SIDE = 10, 8
"""Of the number, and of each bit's square in the lowest rows."""
KEY_FRAMES = 5
"""Frames from one key frame to the next."""


def picture(number: int) -> NDArray[np.uint8]:
    """Return a grey pattern that moves, (H, W), with the number in its lowest rows."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    grey = (128 + 60 * np.sin((x + 3 * number) / 9) * np.cos(y / 11)).astype(np.uint8)
    for bit in range(BITS):
        grey[-SIDE:, bit * SIDE : (bit + 1) * SIDE] = 235 if number >> bit & 1 else 16
    return grey


def number_in(grey: NDArray[np.uint8]) -> int:
    """Read the number of a picture (H, W)."""
    middles = grey[-SIDE // 2, SIDE // 2 : BITS * SIDE : SIDE]
    return sum(int(value > 128) << bit for bit, value in enumerate(middles))


def send(url: str, first: int, count: int, rate: int) -> None:
    """Send frames at their own speed."""
    options = {"tune": "zerolatency", "preset": "ultrafast", "g": str(KEY_FRAMES)}
    with av.open(url, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        begin = time.monotonic()
        for place in range(count):
            frame = av.VideoFrame.from_ndarray(picture(first + place), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = place, Fraction(1, rate)
            container.mux(stream.encode(frame))
            time.sleep(max(0.0, begin + (place + 1) / rate - time.monotonic()))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    send(sys.argv[1], *map(int, sys.argv[2:5]))
