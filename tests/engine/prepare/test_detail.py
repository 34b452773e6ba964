from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.frame import Box, Frame, Mask
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.prepare.crop import Crop
from ptfan.engine.prepare.detail import Details, Look, Plane
from ptfan.engine.prepare.flow import FlowPair, guide_image, judged

WIDTH, HEIGHT, STEP = 160, 96, 2
CROP = Crop(Box(0, 0, WIDTH, HEIGHT), (WIDTH // 2, HEIGHT // 2), (WIDTH // 2, HEIGHT // 2))
HOLE = Box(60, 32, 40, 32)


def scene(seed: int = 0) -> NDArray[np.uint8]:
    """Return a wide grey picture with fine detail, (HEIGHT, 3 * WIDTH, 3)."""
    noise = np.random.default_rng(seed).uniform(0, 255, (HEIGHT, 3 * WIDTH)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 0.8)
    return cv2.cvtColor(np.clip(128 + 2 * (blurred - 128), 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)


def hole_at(box: Box) -> Mask:
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[box.slices] = True
    return hole


def pan(frames: int, hole: Mask, seed: int = 0) -> list[Frame]:
    """Return frames that go over the scene, `STEP` pixels of the source a frame."""
    whole = scene(seed)
    return [Frame(whole[:, STEP * t : STEP * t + WIDTH].copy(), hole) for t in range(frames)]


def looks_at(frames: list[Frame], crop: Crop = CROP) -> list[Look]:
    looks = []
    for frame in frames:
        image, hole = crop.extract(frame.image, frame.hole)
        looks.append(Look(frame, guide_image(image, hole), hole))
    return looks


def flows_of(frames: int, step: float = STEP / 2) -> list[FlowPair]:
    """Return the very flow of a pan, at the scaled crop's size."""
    back = np.zeros((HEIGHT // 2, WIDTH // 2, 2), np.float32)
    back[..., 0] = step
    return [judged(-back, back, np.zeros(back.shape[:2], np.float32), np.zeros(back.shape[:2], np.float32))] * (
        frames - 1
    )


def true_detail(frame: Frame) -> Plane:
    """Return what a frame without a hole has more than its scaled-down self."""
    grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    scaled = cv2.resize(grey, CROP.size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey - cv2.resize(scaled, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def test_detail_that_neighbours_show_comes_along_the_flow() -> None:
    frames = pan(30, hole_at(HOLE))
    planes = Details(CROP).of(looks_at(frames), flows_of(30), first=0, keep=range(30))
    for t in (0, 15, 29):  # at the beginning from later frames alone, at the end from earlier ones
        plane, truth = planes[t], true_detail(frames[t])[HOLE.slices]
        assert plane is not None
        assert plane.shape == (HOLE.height, HOLE.width)
        assert plane.dtype == np.float32
        assert np.abs(plane - truth)[4:-4, 4:-4].mean() < 0.35 * np.abs(truth).mean()


def test_without_later_frames_it_comes_from_earlier_ones() -> None:
    frames = pan(40, hole_at(HOLE))
    looks, flows = looks_at(frames), flows_of(40)
    one_by_one = Details(CROP)
    plane = None
    for t in range(40):
        first = max(0, t - 1)
        plane = one_by_one.of(looks[first : t + 1], flows[first:t], first=first, keep=range(t - first, t + 1 - first))[
            -1
        ]
    truth = true_detail(frames[-1])[HOLE.slices]
    assert plane is not None
    assert np.abs(plane - truth)[4:-4, 4:-4].mean() < 0.35 * np.abs(truth).mean()


@pytest.mark.parametrize("parts", [[(0, 12), (9, 12)], [(0, 8), (5, 8), (10, 8)]])
def test_what_came_from_the_past_goes_on_from_call_to_call(parts: list[tuple[int, int]]) -> None:
    frames = pan(30, hole_at(HOLE))
    looks, flows = looks_at(frames), flows_of(30)
    details, planes = Details(CROP), dict[int, Plane]()
    for first, kept in parts:
        stop = first + kept
        for t, plane in enumerate(
            details.of(looks[first:stop], flows[first : stop - 1], first=first, keep=range(len(planes) - first, kept))
        ):
            if plane is not None:
                assert first + t not in planes
                planes[first + t] = plane
    assert sorted(planes) == list(range(sum(parts[-1])))
    whole = Details(CROP).of(looks[: len(planes)], flows[: len(planes) - 1], first=0, keep=range(len(planes)))
    last = whole[-1]
    assert last is not None
    assert np.array_equal(planes[len(planes) - 1], last)  # nothing comes after it in either case


def test_what_stands_in_the_hole_has_no_influence() -> None:
    hole, rng = hole_at(HOLE), np.random.default_rng(1)
    frames = pan(8, hole)
    other = [replace(frame, image=frame.image.copy()) for frame in frames]
    for frame in other:
        frame.image[hole] = rng.integers(0, 256, (int(hole.sum()), 3))
    one, two = (Details(CROP).of(looks_at(clip), flows_of(8), first=0, keep=range(8)) for clip in (frames, other))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True) if a is not None and b is not None)


def test_where_nothing_arrives_it_is_texture_about_as_strong_as_all_around() -> None:
    faint = (112 + scene()[:, :WIDTH] // 8).astype(np.uint8)
    frames = [Frame(faint, hole_at(HOLE))] * 3  # nothing moves: no frame shows what is hidden
    plane = Details(CROP).of(looks_at(frames), flows_of(3, 0.0), first=0, keep=range(3))[1]
    assert plane is not None
    assert 0.5 < plane.std() / true_detail(frames[0])[HOLE.slices].std() < 1.1


def test_plain_pictures_have_none() -> None:
    plain = np.full((HEIGHT, WIDTH, 3), 77, np.uint8)
    planes = Details(CROP).of(looks_at([Frame(plain, hole_at(HOLE))] * 3), flows_of(3, 0.0), first=0, keep=range(3))
    assert all(plane is not None and np.abs(plane).max() < 0.3 / 255 for plane in planes)


def test_frames_without_a_hole_and_crops_of_full_size_need_none() -> None:
    frames = [Frame(scene()[:, :WIDTH].copy(), hole) for hole in (hole_at(HOLE), np.zeros((HEIGHT, WIDTH), bool))]
    planes = Details(CROP).of(looks_at(frames), flows_of(2, 0.0), first=0, keep=range(2))
    assert planes[0] is not None
    assert planes[1] is None
    full = Crop(CROP.box, (WIDTH, HEIGHT), (WIDTH, HEIGHT))
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert Details(full).of(looks_at(frames, full), [judged(flow, flow)], first=0, keep=range(2)) == [None, None]


def test_all_hole_has_none() -> None:
    frames = [Frame(scene()[:, :WIDTH].copy(), np.ones((HEIGHT, WIDTH), bool))] * 2
    for plane in Details(CROP).of(looks_at(frames), flows_of(2), first=0, keep=range(2)):
        assert plane is not None
        assert not plane.any()


def test_sixteen_bits_give_what_eight_give() -> None:
    frames = pan(6, hole_at(HOLE))
    deep = [replace(frame, image=frame.image.astype(np.uint16) * 257) for frame in frames]
    one, two = (Details(CROP).of(looks_at(clip), flows_of(6), first=0, keep=range(6)) for clip in (frames, deep))
    for a, b in zip(one, two, strict=True):
        assert a is not None
        assert b is not None
        assert np.abs(a - b).max() < 0.01


@pytest.mark.parametrize("model", ["s", "s-live"])
def test_a_large_hole_comes_out_nearly_as_sharp_as_the_picture(model: str) -> None:
    frames = pan(24, hole_at(HOLE))
    with Inpainter(model, settings=InpaintSettings(size=CROP.size, threads=1)) as inpainter:
        done = [frame for each in frames for frame in inpainter.push(each)] + inpainter.flush()
    middle = done[-1].composite()[HOLE.slices].astype(np.float32).mean(axis=2)
    truth = frames[-1].image[HOLE.slices].astype(np.float32).mean(axis=2)
    fine, wanted = (cv2.Laplacian(picture, cv2.CV_32F).std() for picture in (middle, truth))
    assert fine > 0.9 * wanted  # 0.65 of it without
