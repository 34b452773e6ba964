"""Real clips as the runtime would feed them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.spec import CLIP_INPUTS, ModelSpec
from ptfan.export.clip import clip_arrays


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a clip of a pattern that moves to the left."""

    def write(frames: int, width: int = 96, height: int = 64) -> Path:
        path = tmp_path / f"{frames}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
            y, x = np.mgrid[:height, :width]
            for index in range(frames):
                grey = (127 + 60 * np.sin((x + 2 * index) / 7) + 60 * np.cos(y / 5)).astype(np.uint8)
                frame = av.VideoFrame.from_ndarray(np.stack([grey] * 3, axis=-1), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


def spec(**changes: object) -> ModelSpec:
    values: dict = {"name": "test", "window": 6, "stride": 4, "lookahead": 3, "fill": "propagated", **changes}
    return ModelSpec(**values)


def test_the_demonstration_has_a_hole_to_compare_on() -> None:
    arrays = clip_arrays(spec(), DEMO_CLIP, DEMO_MASK)
    assert set(arrays) == set(CLIP_INPUTS)
    frames, _, height, width = arrays["frames"].shape
    assert frames == 6
    assert height % 8 == width % 8 == 0
    assert 0 < arrays["hole"].mean() < 0.5
    assert np.abs(arrays["flow_forward"][:-1]).max() > 0.5


def test_a_hole_is_cut_where_no_mask_is_given(video: Callable[..., Path]) -> None:
    arrays = clip_arrays(spec(fill="zero"), video(6), None)
    assert arrays["hole"].sum() == 6 * 24 * 16
    assert (arrays["frames"][np.broadcast_to(arrays["hole"] == 1, arrays["frames"].shape)] == 0).all()
    moved = arrays["flow_forward"][:-1, 0][arrays["validity_forward"][:-1, 0] == 1]
    assert -2.5 < np.median(moved) < -1  # it moves by two pixels, and has little texture to tell that from


def test_a_short_clip_makes_a_short_window_unless_that_is_fixed(video: Callable[..., Path]) -> None:
    short = video(3)
    assert clip_arrays(spec(), short, None)["frames"].shape[0] == 3
    with pytest.raises(InputError, match=r"has 3 frames, comparing takes 6; give a longer --clip$"):
        clip_arrays(spec(fixed_window=6), short, None)


def test_a_fixed_size_is_kept(video: Callable[..., Path]) -> None:
    arrays = clip_arrays(spec(fixed_size=(128, 72)), video(6), None)
    assert arrays["frames"].shape == (6, 3, 72, 128)


def test_a_mask_without_a_hole_is_refused(video: Callable[..., Path], tmp_path: Path) -> None:
    mask = tmp_path / "empty.png"
    assert cv2.imwrite(str(mask), np.zeros((64, 96), np.uint8))
    with pytest.raises(InputError, match=r"empty.png: has no hole in the first 6 frames; give another --mask$"):
        clip_arrays(spec(), video(6), mask)


def test_a_clip_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"none.mp4"):
        clip_arrays(spec(), tmp_path / "none.mp4", None)
