"""A sender in a process of its own: `live_sender.py URL FIRST COUNT RATE FORMAT` sends frames with their numbers."""

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


def write(url: str, first: int, count: int, rate: int, kind: str = "mpegts", scale: int = 1, live: bool = True) -> None:
    """Write frames, at their own speed where they are live."""
    options = {"tune": "zerolatency", "preset": "ultrafast", "g": str(KEY_FRAMES)}
    with av.open(url, "w", format=kind, options={"rtsp_transport": "tcp"} if kind == "rtsp" else {}) as container:
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = scale * WIDTH, scale * HEIGHT, "yuv420p"
        container.start_encoding()
        begin = time.monotonic()
        for place in range(count):
            frame = av.VideoFrame.from_ndarray(picture(first + place), format="gray")
            frame = frame.reformat(stream.width, stream.height, "yuv420p", interpolation="POINT")
            frame.pts, frame.time_base = place, Fraction(1, rate)
            container.mux(stream.encode(frame))
            if live:
                time.sleep(max(0.0, begin + (place + 1) / rate - time.monotonic()))
        container.mux(stream.encode(None))


def send(url: str, first: int, count: int, rate: int, kind: str) -> bool:
    """Send frames; return whether somebody was there."""
    try:
        write(url, first, count, rate, kind)
    except av.ConnectionRefusedError:
        return False
    return True


if __name__ == "__main__":
    first, count, rate = map(int, sys.argv[2:5])
    while not send(sys.argv[1], first, count, rate, sys.argv[5]):
        time.sleep(0.2)
