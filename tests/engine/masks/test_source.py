"""Masks from images, folders, videos and boxes; scaling and growing against brute force."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InputNotFoundError, MaskError
from ptfan.engine.frame import Box, Mask
from ptfan.engine.masks.shaping import grow_hole, scale_mask
from ptfan.engine.masks.source import open_mask
from ptfan.engine.masks.text_finder import TextFinder
from ptfan.engine.media import Sample, StreamInfo
from tests.engine.fake_helper import FakeHelper


def write(path: Path, mask: NDArray[np.generic]) -> Path:
    assert cv2.imwrite(str(path), mask.astype(np.uint8) * 255)
    return path


def square(width: int, height: int, left: int, side: int = 6) -> Mask:
    mask = np.zeros((height, width), bool)
    mask[4 : 4 + side, left : left + side] = True
    return mask


def video(path: Path, masks: list[Mask], codec: str = "ffv1", rate: int = 25, title: str = "") -> Path:
    height, width = masks[0].shape
    with av.open(str(path), "w") as container:
        container.metadata["title"] = title
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for mask in masks:
            frame = av.VideoFrame.from_ndarray(mask.astype(np.uint8) * 255, format="gray")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return path


def test_one_image_serves_every_frame_with_the_same_read_only_array(tmp_path: Path) -> None:
    mask = square(32, 24, 5)
    with open_mask(write(tmp_path / "m.png", mask)) as source:
        assert source.still
        assert source.frames is None
        first = source.at(0, 32, 24)
        assert source.at(99, 32, 24) is first
        assert not first.flags.writeable
        np.testing.assert_array_equal(first, mask)
        assert source.at(100, 64, 48).shape == (48, 64)


def test_a_folder_goes_in_natural_order_and_skips_what_is_no_image(tmp_path: Path) -> None:
    for index in range(12):
        write(tmp_path / f"f{index}.png", square(40, 24, index))
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / ".hidden.png").write_text("none")
    (tmp_path / "f3.jpg").mkdir()
    with open_mask(tmp_path) as source:
        assert source.frames == 12
        assert not source.still
        for index in (0, 2, 9, 10, 11):
            np.testing.assert_array_equal(source.at(index, 40, 24), square(40, 24, index))
        with pytest.raises(MaskError, match="ends after 12 masks"):
            source.at(12, 40, 24)


@pytest.mark.parametrize(("codec", "name"), [("ffv1", "m.mkv"), ("mpeg4", "m.mp4")])
def test_a_video_is_decoded_as_it_goes(tmp_path: Path, codec: str, name: str) -> None:
    masks = [square(64, 48, 8 + 2 * index, side=16) for index in range(9)]
    with open_mask(video(tmp_path / name, masks, codec)) as source:
        assert source.frames == 9
        for index in (0, 1, 4, 4, 8):
            hole = source.at(index, 64, 48)
            assert (hole ^ masks[index]).mean() < 0.01
        with pytest.raises(MaskError, match="ends after 9 masks"):
            source.at(9, 64, 48)


def test_a_repeated_index_gives_the_same_array(tmp_path: Path) -> None:
    with open_mask(video(tmp_path / "m.mkv", [square(32, 24, 3), square(32, 24, 9)])) as source:
        assert source.at(1, 32, 24) is source.at(1, 32, 24)


def clip_info(frames: int, rate: int, **settings: Any) -> StreamInfo:
    return StreamInfo(
        name="clip", width=64, height=48, depth=8, pixel_format="gray", time_base=Fraction(1, rate),
        rate=Fraction(rate), frames=frames, total=frames, duration=Fraction(frames, rate), **settings,
    )  # fmt: skip


def test_a_mask_video_of_another_rate_is_followed_by_time_and_told_of(tmp_path: Path) -> None:
    masks, told = [square(64, 48, 2 * index) for index in range(10)], list[str]()
    with open_mask(video(tmp_path / "m.mkv", masks, rate=10), warn=told.append) as source:
        source.follow(clip_info(25, 25, origin=Fraction(7), opening=Fraction(7)))
        source.check_length(25)
        for index in range(25):
            hole = source.at(index, 64, 48, 7 + Fraction(index, 25))
            np.testing.assert_array_equal(hole, masks[index * 10 // 25])
        with pytest.raises(MaskError, match="ends after 10 masks"):
            source.at(40, 64, 48, 7 + Fraction(40, 25))
    assert told == [
        f"mask {tmp_path / 'm.mkv'}: 10 masks a second for 25 frames; each frame gets the one that is shown at its time"
    ]


def test_a_part_of_a_video_keeps_its_masks_of_another_rate(tmp_path: Path) -> None:
    masks = [square(64, 48, 2 * index) for index in range(20)]
    with open_mask(video(tmp_path / "m.mkv", masks, rate=10), warn=lambda line: None) as source:
        source.follow(replace(clip_info(50, 25), first=30, frames=10))
        for index in range(30, 40):
            np.testing.assert_array_equal(source.at(index, 64, 48, Fraction(index, 25)), masks[index * 10 // 25])


@pytest.mark.parametrize(
    ("masks", "rate", "info"),
    [
        (20, 25, clip_info(10, 25)),
        (10, 30, clip_info(10, 25)),
        (20, 30, clip_info(10, 25, timed=False)),
        (20, 30, replace(clip_info(10, 25), rate=None)),
    ],
    ids=["the same rate", "as many masks as frames", "images have no times", "an unknown rate"],
)
def test_else_each_frame_has_its_own_mask(masks: int, rate: int, info: StreamInfo, tmp_path: Path) -> None:
    holes, told = [square(64, 48, 2 * index) for index in range(masks)], list[str]()
    with open_mask(video(tmp_path / "m.mkv", holes, rate=rate), warn=told.append) as source:
        source.follow(info)
        for index in range(10):
            np.testing.assert_array_equal(source.at(index, 64, 48, Fraction(index, 25)), holes[index])
    assert told == []


def test_images_are_never_followed_by_time(tmp_path: Path) -> None:
    for index in range(4):
        write(tmp_path / f"{index}.png", square(64, 48, index))
    for path in (tmp_path, tmp_path / "0.png"):
        with open_mask(path) as source:
            source.follow(clip_info(3, 30))
            np.testing.assert_array_equal(source.at(0, 64, 48, Fraction(9)), square(64, 48, 0))


def test_an_animated_gif_is_a_video_and_a_still_one_an_image(tmp_path: Path) -> None:
    masks = [square(32, 24, 3), square(32, 24, 9)]
    for name, count in (("still.gif", 1), ("moving.gif", 2)):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("gif", rate=5)
            stream.width, stream.height, stream.pix_fmt = 32, 24, "rgb8"
            for mask in masks[:count]:
                frame = av.VideoFrame.from_ndarray(np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255)
                container.mux(stream.encode(frame.reformat(format="rgb8")))
            container.mux(stream.encode())
    with open_mask(tmp_path / "still.gif") as source:
        assert source.still
        np.testing.assert_array_equal(source.at(5, 32, 24), masks[0])
    with open_mask(tmp_path / "moving.gif") as source:
        assert source.frames == 2
        np.testing.assert_array_equal(source.at(1, 32, 24), masks[1])


def test_a_video_may_bear_a_title_in_no_encoding_that_can_be_told(tmp_path: Path) -> None:
    path = video(tmp_path / "m.avi", [square(32, 24, 3)], title="caf__")
    path.write_bytes(path.read_bytes().replace(b"caf__", "café_".encode("latin-1")))
    with open_mask(path) as source:
        np.testing.assert_array_equal(source.at(0, 32, 24), square(32, 24, 3))


def test_a_video_with_alpha_beside_its_pictures_counts_by_it(tmp_path: Path) -> None:
    mask, path = square(32, 24, 8, side=8), tmp_path / "m.webm"
    picture = np.dstack([np.full((24, 32, 3), 255, np.uint8), mask.astype(np.uint8) * 255])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=25, options={"lossless": "1", "auto-alt-ref": "0"})
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuva420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba").reformat(format="yuva420p")))
        container.mux(stream.encode())
    with open_mask(path) as source:
        assert (source.at(0, 32, 24) == mask).all()


def test_boxes_join_the_mask_and_grow_with_it(tmp_path: Path) -> None:
    mask = square(32, 24, 20)
    with open_mask(write(tmp_path / "m.png", mask), [Box(1, 2, 3, 4), Box(8, 8, 2, 2)], dilate=1) as source:
        expected = mask.copy()
        expected[2:6, 1:4] = True
        expected[8:10, 8:10] = True
        np.testing.assert_array_equal(source.at(0, 32, 24), grow_hole(expected, 1))


def test_a_box_outside_the_frame_names_its_size() -> None:
    with open_mask(boxes=[Box(32, 0, 5, 5)]) as source, pytest.raises(InputError, match=r"outside the frame.*32x24"):
        source.at(0, 32, 24)


def test_a_box_partly_outside_is_clipped_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with open_mask(boxes=[Box(-2, 20, 5, 9)]) as source, caplog.at_level(logging.WARNING, "ptfan"):
        for size in ((32, 24), (32, 24), (40, 24), (32, 24)):
            hole = source.at(0, *size)
    assert hole.sum() == 3 * 4
    assert [record.message.count("clipped") for record in caplog.records] == [1, 1]  # Once for each size.


def test_another_shape_is_stretched_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "m.png", square(24, 24, 2))
    with open_mask(path) as source, caplog.at_level(logging.WARNING, "ptfan"):
        source.at(0, 48, 48)
        assert not caplog.records
        source.at(0, 48, 24)
    assert "24x24 is another shape than the video's 48x24" in caplog.text


def test_lengths_are_compared(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for index in range(3):
        write(tmp_path / f"{index}.png", square(32, 24, index))
    with open_mask(tmp_path) as source, caplog.at_level(logging.WARNING, "ptfan"):
        source.check_length(3)
        source.check_length(None)
        source.check_length(1, first=2)
        source.check_length(2, whole=False)
        assert not caplog.records
        source.check_length(2)
        assert "the last 1 are not used" in caplog.text
        with pytest.raises(MaskError, match="3 masks, one a frame, for 4 frames"):
            source.check_length(4)
        with pytest.raises(MaskError, match="for 4 frames"):
            source.check_length(2, first=2)


def test_of_a_mask_file_s_streams_the_film_is_taken(behind_thumbnail: Callable[[Path], Path], tmp_path: Path) -> None:
    masks = [square(64, 48, 5 + t) for t in range(4)]
    with open_mask(behind_thumbnail(video(tmp_path / "masks.mkv", masks))) as source:
        assert source.frames == 4
        for index, mask in enumerate(masks):
            assert np.array_equal(source.at(index, 64, 48), mask)


@pytest.mark.parametrize("whole", [0, 3])
def test_a_damaged_video_says_how_many_masks_are_whole(whole: int, tmp_path: Path) -> None:
    path = video(tmp_path / "m.mkv", [square(64, 48, 8 + 2 * index, side=16) for index in range(6)])
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        place, size = path.read_bytes().index(bytes(packets[whole])), packets[whole].size
    data = bytearray(path.read_bytes())
    data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    with open_mask(path) as masks, pytest.raises(MaskError, match=rf"cannot be decoded after {whole} masks \(Inv"):
        masks.at(5, 64, 48)


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.png")
    with pytest.raises(MaskError, match="is no file or folder, but a device or a pipe"):
        open_mask(tmp_path / "m.png")


def test_what_is_missing_or_wrong_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to replace: give a mask"):
        open_mask()
    with pytest.raises(InputError, match=r"dilate is 2\.5, expected a whole number of pixels, 0 or more"):
        open_mask(boxes=[Box(0, 0, 4, 4)], dilate=2.5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="dilate is -1"):
        open_mask(boxes=[Box(0, 0, 1, 1)], dilate=-1)
    with pytest.raises(InputNotFoundError, match="no such file"):
        open_mask(tmp_path / "nowhere")
    with pytest.raises(MaskError, match="no images in this folder"):
        open_mask(tmp_path)
    with pytest.raises(InputError, match="object id needs a mask"):
        open_mask(boxes=[Box(0, 0, 1, 1)], object_id=1)
    with pytest.raises(InputError, match="an array has no object ids"):
        open_mask(square(32, 24, 3), object_id=1)
    with pytest.raises(MaskError, match="a video has no object ids"):
        open_mask(video(tmp_path / "m.mkv", [square(32, 24, 3)]), object_id=1)


def test_an_array_is_a_mask_for_all_frames() -> None:
    mask = square(32, 24, 3)
    with open_mask(mask, [Box(0, 0, 2, 2)]) as masks:
        expected = mask.copy()
        expected[:2, :2] = True
        mask[:] = False  # what the caller does with it later is no concern of the run
        assert masks.still
        np.testing.assert_array_equal(masks.at(0, 32, 24), expected)
        np.testing.assert_array_equal(masks.at(9, 64, 48)[4:], scale_mask(square(32, 24, 3), 64, 48)[4:])
    assert masks.name == "array of 32x24"


@pytest.mark.parametrize(
    ("mask", "what"),
    [
        (np.zeros((24, 32), np.uint8), r"is an array of uint8 and shape \(24, 32\), expected bool and shape \(H, W\)"),
        (np.zeros((24, 32, 1), bool), r"of bool and shape \(24, 32, 1\)"),
        (np.zeros((0, 32), bool), r"of bool and shape \(0, 32\)"),
    ],
)
def test_an_array_that_is_no_mask_is_refused(mask: Any, what: str) -> None:
    with pytest.raises(InputError, match=what):
        open_mask(mask)


def test_a_mask_of_all_there_is_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with open_mask(boxes=[Box(0, 0, 8, 6)]) as masks:
        assert masks.at(0, 8, 6).all()
        masks.at(1, 8, 6)
        masks.at(2, 9, 6)
    assert caplog.messages == ["mask boxes: covers a whole frame, and nothing is left to fill it from; is it inverted?"]


@pytest.mark.parametrize(("hole", "told"), [(61, True), (60, False)])
def test_a_still_mask_of_most_of_the_frame_is_told_once(
    hole: int, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    values = np.zeros((10, 10), bool)
    values.flat[:hole] = True
    write(tmp_path / "m.png", values)
    (tmp_path / "masks").mkdir()
    write(tmp_path / "masks" / "0.png", values)
    with open_mask(tmp_path / "m.png") as masks:
        masks.at(0, 20, 20)
        masks.at(1, 20, 10)
    text = f"mask {tmp_path}/m.png: covers 61% of the frame; is it inverted? White is what is replaced"
    assert [message for message in caplog.messages if "inverted" in message] == [text] * told
    caplog.clear()
    with open_mask(tmp_path / "masks") as masks:
        masks.at(0, 20, 20)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("boxes", "text"),
    [
        ([(1, 2, 3, 4)], r"boxes: \(1, 2, 3, 4\) in it, expected a Box, for instance"),
        ([Box(1, 2, 3, 4.5)], r"boxes: Box\(x=1, y=2, width=3, height=4.5\) in it, expected whole pixels"),  # type: ignore[arg-type]
        ((Box(1, 2, 3, 4) for _ in range(1)), "boxes is <generator .*>, expected a list of Box"),
        (np.array([[1, 2, 3, 4]]), "boxes is array.*, expected a list of Box"),
        (Box(1, 2, 3, 4), r"boxes is Box\(.*\), expected a list of Box"),
    ],
)
def test_boxes_that_are_none_are_refused(boxes: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        open_mask(boxes=boxes)
    with pytest.raises(InputError, match=text.replace("boxes", "text", 1)):
        open_mask(text=boxes)


def test_boxes_may_hold_numbers_of_numpy() -> None:
    with open_mask(boxes=[Box(*np.array([1, 2, 3, 4]))]) as masks:
        assert masks.at(0, 20, 20).sum() == 12


@pytest.fixture
def white_is_text(monkeypatch: pytest.MonkeyPatch) -> FakeHelper:
    """Take for text what is white; return the network that does."""
    network = FakeHelper("text", lambda inputs: {"score": inputs["picture"].min(axis=1, keepdims=True) - 0.9})
    monkeypatch.setattr(TextFinder, "open", classmethod(lambda cls: cls(network)))
    return network


def sample(index: int, column: int) -> Sample:
    """Return a black picture with a white bar in some columns."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[20:24, column : column + 10] = 255
    native = av.VideoFrame.from_ndarray(image, format="rgb24")
    return Sample(index, image, index, Fraction(1, 25), native)


def test_text_is_looked_for_in_every_frame(white_is_text: FakeHelper, tmp_path: Path) -> None:
    mask = square(64, 48, 50)
    with open_mask(write(tmp_path / "m.png", mask), [Box(0, 0, 2, 2)], text=[Box(0, 10, 40, 30)], dilate=1) as source:
        assert not source.still
        fixed = source.at(0, 64, 48)
        for index, column in ((0, 4), (1, 8), (2, 45)):  # the last one lies beside the place
            hole = source.hole_of(sample(index, column))
            found = hole & ~fixed
            assert not hole.flags.writeable
            assert (hole & fixed).sum() == fixed.sum()
            if column < 40:
                rows, columns = np.nonzero(found)
                assert (columns.min(), columns.max(), rows.min(), rows.max()) == (column - 2, column + 11, 18, 25)
            else:
                assert not found.any()
    assert len(white_is_text.calls) == 3


def test_a_place_for_text_is_clipped_or_refused(white_is_text: FakeHelper, caplog: pytest.LogCaptureFixture) -> None:
    with open_mask(text=[Box(-4, 10, 20, 60)]) as source, caplog.at_level(logging.WARNING, "ptfan"):
        assert source.hole_of(sample(0, 2)).any()
    assert caplog.messages == ["text -4,10,20,60: partly outside the frame, which is 64x48; clipped"]
    with open_mask(text=[Box(70, 10, 20, 20)]) as source, pytest.raises(InputError, match=r"text 70,10,20,20: outside"):
        source.hole_of(sample(0, 2))
