"""`--text` on a real clip with a caption: the letters go, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.media import open_source

SIZE = (320, 136)
FRAMES = 10
BARE = range(4, 6)
"""Frames without a caption."""
BAND = (slice(76, 130), slice(4, 236))
PLACE = "4,76,232,54"

Pictures = list[NDArray[np.uint8]]


def letters(*, outlined: bool) -> NDArray[np.bool_]:
    """Return where the letters are, with their outline or without."""
    canvas = np.zeros(SIZE[::-1], np.uint8)
    cv2.putText(canvas, "Some words here", (12, 110), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 6 if outlined else 2)
    return np.asarray(canvas > 127, np.bool_)


@pytest.fixture(scope="module")
def scene() -> Pictures:
    with open_source(DEMO_CLIP) as source:
        frames = [sample.image for sample, _ in zip(source, range(FRAMES), strict=False)]
    return [np.asarray(cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA), np.uint8) for frame in frames]


@pytest.fixture
def captioned(folder: Path, scene: Pictures) -> Path:
    """Write the clip with a caption that goes and comes back."""
    path = folder / "captioned.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "bgr0"
        for index, picture in enumerate(scene):
            shown = picture.copy()
            if index not in BARE:
                shown[letters(outlined=True)], shown[letters(outlined=False)] = 0, 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24").reformat(format="bgr0")))
        container.mux(stream.encode(None))
    return path


def test_the_letters_are_replaced_and_all_else_is_kept(
    inpaint: Callable[..., Any], captioned: Path, scene: Pictures, images: Callable[..., Any]
) -> None:
    assert inpaint(captioned, "--text", PLACE, "-o", "out", "--json", "report.json", "-q").status == 0
    before, after = images(captioned), images(Path("out"))
    changed = np.stack([(new != old).any(-1) for old, new in zip(before, after, strict=True)])
    outside = np.ones(SIZE[::-1], bool)
    outside[BAND] = False
    assert not changed[:, outside].any()
    text = [index for index in range(FRAMES) if index not in BARE]
    assert changed[text][:, letters(outlined=True)].mean() > 0.95
    assert changed[text][:, BAND[0], BAND[1]].mean() < 0.6
    assert changed[list(BARE)].mean() < 0.01
    errors = [np.square(after[t][BAND].astype(float) - scene[t][BAND]).mean() for t in text]
    errors_before = [np.square(before[t][BAND].astype(float) - scene[t][BAND]).mean() for t in text]
    assert np.mean(errors) < 0.05 * np.mean(errors_before)
    settings = json.loads(Path("report.json").read_text())["settings"]
    assert settings["text"] == [{"x": 4, "y": 76, "width": 232, "height": 54}]


def test_a_box_may_be_given_as_well(inpaint: Callable[..., Any], captioned: Path, images: Callable[..., Any]) -> None:
    assert inpaint(captioned, "--text", PLACE, "--box", "260,10,20,20", "-o", "out", "-q").status == 0
    differs = (images(Path("out"))[4] != images(captioned)[4]).any(-1)
    assert differs[10:30, 260:280].mean() > 0.9
    differs[10:30, 260:280] = False
    assert differs.mean() < 0.01


def test_without_any_text_a_warning_says_so(inpaint: Callable[..., Any], captioned: Path) -> None:
    result = inpaint(captioned, "--text", "250,4,60,30", "-o", "out.mkv", "-q")
    assert result.status == 0
    assert result.warnings == [
        "ptfan: warning: mask text: no pixels in any frame are masked; nothing was replaced",
    ]


def test_preview_shows_what_is_found(ptfan: Callable[..., Any], captioned: Path, model: Path) -> None:
    result = ptfan("preview", captioned, "--text", PLACE, "-o", "look.png", "--model", model)
    assert result.status == 0
    assert "7.0 % to be filled" in result.err
    assert Path("look.png").exists()


def test_a_live_stream_is_cleaned_likewise(
    ptfan: Callable[..., Any], captioned: Path, scene: Pictures, images: Callable[..., Any], model: Path
) -> None:
    arguments = ("--text", PLACE, "--codec", "ffv1", "--to", "out.mkv", "--model", model, "-q")
    assert ptfan("stream", captioned, *arguments).status == 0
    after = images("out.mkv")
    errors = [np.square(new[BAND].astype(float) - old[BAND]).mean() for new, old in zip(after, scene, strict=True)]
    assert max(errors) < 500


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("4,76", "text '4,76': expected X,Y,W,H"),
        ("400,0,10,10", "text 400,0,10,10: outside the frame, which is 320x136"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(
    inpaint: Callable[..., Any], captioned: Path, place: str, text: str
) -> None:
    assert text in inpaint(captioned, "--text", place, "-o", "out.mkv").error
    assert not Path("out.mkv").exists()
