"""Videos of every kind go through, and outside the mask nothing of them changes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ptfan.engine.media import open_source

BOX = ("--box", "20,14,16,12")
INSIDE = (slice(14, 26), slice(20, 36))
QUARTER = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


def outside(images: list[Any], margin: int = 0) -> list[Any]:
    """The pictures with the box and a margin round it blanked."""
    blanked = [image.copy() for image in images]
    for image in blanked:
        image[14 - margin : 26 + margin, 20 - margin : 36 + margin] = 0
    return blanked


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ({"size": (63, 47)}, "out"),
        ({"size": (63, 47), "pixels": "yuv420p"}, "out.mkv"),
        ({"size": (48, 64)}, "out"),
        ({"frames": 1}, "out"),
        ({"frames": 1}, "out.mkv"),
        ({"frames": 2}, "out"),
        ({"frames": 2}, "out.mkv"),
        ({"pixels": "yuv420p10le"}, "out"),
        ({"pixels": "yuv420p10le"}, "out.mkv"),
        ({"pixels": "gray"}, "out"),
        ({"pixels": "gray10le"}, "out.mkv"),
        ({"pixels": "yuva420p"}, "out"),
        ({"pixels": "bgra"}, "out.mkv"),
        ({"times": (0, 40, 50, 200, 210, 400, 900, 1000)}, "out.mkv"),
    ],
    ids=str,
)
def test_pictures_are_filled_in_the_box_and_the_same_outside(
    kind: dict[str, Any],
    output: str,
    inpaint: Callable[..., Any],
    clip: Callable[..., Path],
    images: Callable[..., Any],
    folder: Path,
) -> None:
    source = clip(**kind)
    result = inpaint(source, *BOX, "--codec", "ffv1", "-o", output)
    assert result.status == 0, result.err
    before, after = images(source), images(folder / output)
    assert len(before) == len(after) == kind.get("frames", 8)
    assert [image.dtype for image in after] == [image.dtype for image in before]
    # Where the output keeps 4:2:0, RGB made of it reads chroma across the edge of the box.
    margin = 2 if output == "out.mkv" and "420" in kind.get("pixels", "") else 0
    assert np.array_equal(outside(after, margin), outside(before, margin))
    assert not np.array_equal(after[0][INSIDE], before[0][INSIDE])


def test_a_variable_rate_stays(inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path) -> None:
    times = (0, 40, 50, 200, 210, 400, 900, 1000)
    assert inpaint(clip(times=times), *BOX, "-o", "out.mkv").status == 0
    with av.open(str(folder / "out.mkv")) as container:
        assert [round(frame.time * 1000) for frame in container.decode(video=0)] == list(times)


@pytest.mark.skipif(not hasattr(av.VideoStream, "set_display_matrix"), reason="this PyAV writes no display matrix")
def test_a_box_lies_in_the_picture_as_displayed(
    inpaint: Callable[..., Any], clip: Callable[..., Path], images: Callable[..., Any], folder: Path
) -> None:
    source = clip("turned.mp4", codec="libx264", pixels="yuv420p", matrix=QUARTER)
    assert inpaint(source, "--box", "4,40,16,12", "-o", "out").status == 0
    before, after = images(source), images(folder / "out")
    assert before[0].shape == after[0].shape == (64, 48, 3)
    changed = np.any([a != b for a, b in zip(before, after, strict=True)], axis=(0, -1))
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 40
    assert rows.max() < 52
    assert columns.min() >= 4
    assert columns.max() < 20


def test_interlaced_pictures_are_deinterlaced_and_it_is_said(
    inpaint: Callable[..., Any], clip: Callable[..., Path], folder: Path, images: Callable[..., Any]
) -> None:
    source = clip("tv.mkv", codec="libx264", pixels="yuv420p", options={"x264-params": "interlaced=1:tff=1"})
    result = inpaint(source, *BOX, "-o", "out")
    assert result.status == 0
    assert any("interlaced" in line for line in result.warnings)
    assert len(images(folder / "out")) == 8


def test_png_holds_the_decoders_rgb_to_the_bit(
    inpaint: Callable[..., Any], clip: Callable[..., Path], images: Callable[..., Any], folder: Path
) -> None:
    source = clip("lossy.mp4", codec="libx264", pixels="yuv420p", size=(66, 50))
    assert inpaint(source, *BOX, "-o", "out").status == 0
    with av.open(str(source)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.array_equal(outside(images(folder / "out")), outside(decoded))


@pytest.mark.parametrize("seed", range(3))
def test_what_stands_in_the_hole_influences_nothing(
    seed: int,
    inpaint: Callable[..., Any],
    clip: Callable[..., Path],
    images: Callable[..., Any],
    folder: Path,
) -> None:
    """A folder of frames, and the same with something else in the box: the outputs are the same files."""
    assert inpaint(clip(), "--box", "0,0,1,1", "-o", "plain").status == 0
    rng = np.random.default_rng(seed)
    (folder / "other").mkdir()
    for index, image in enumerate(images(folder / "plain")):
        image[INSIDE] = (255, 0, 255) if seed == 0 else rng.integers(0, 256, (12, 16, 3))
        save(folder / "other" / f"{index:06}.png", image)
    assert inpaint("plain", *BOX, "-o", "a").status == 0
    assert inpaint("other", *BOX, "-o", "b").status == 0
    for path in sorted((folder / "a").iterdir()):
        assert (folder / "b" / path.name).read_bytes() == path.read_bytes()


def save(path: Path, image: Any) -> None:
    """Write a PNG file."""
    codec: Any = av.CodecContext.create("png", "w")
    (codec.height, codec.width), codec.pix_fmt, codec.time_base = image.shape[:2], "rgb24", Fraction(1, 25)
    path.write_bytes(b"".join(bytes(packet) for packet in codec.encode(av.VideoFrame.from_ndarray(image, "rgb24"))))


def test_nothing_crosses_two_cuts(inpaint: Callable[..., Any], folder: Path, images: Callable[..., Any]) -> None:
    """Three scenes of one colour each, with a magenta box: it takes the colour of its own scene."""
    colours = [(200, 40, 40), (40, 60, 210), (230, 220, 90)]
    lengths = (7, 5, 9)
    (folder / "scenes").mkdir()
    scenes = [colour for colour, length in zip(colours, lengths, strict=True) for _ in range(length)]
    for index, colour in enumerate(scenes):
        image = np.full((48, 64, 3), colour, np.uint8)
        image[INSIDE] = (255, 0, 255)
        save(folder / "scenes" / f"{index:06}.png", image)
    assert inpaint("scenes", *BOX, "-o", "out").status == 0
    for colour, image in zip(scenes, images(folder / "out"), strict=True):
        assert np.abs(image[INSIDE].astype(int) - colour).max() <= 1


def test_a_part_of_a_video(
    inpaint: Callable[..., Any], clip: Callable[..., Path], images: Callable[..., Any], folder: Path
) -> None:
    source = clip(frames=20)
    assert inpaint(source, *BOX, "--start", "0.2", "--end", "0:00.6", "-o", "out").status == 0
    with open_source(source) as opened:
        wanted = [sample.image for sample in opened if 5 <= sample.index < 15]
    assert np.array_equal(outside(images(folder / "out")), outside(wanted))
