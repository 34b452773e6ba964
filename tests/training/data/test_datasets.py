from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.training.data.datasets import open_dataset

SIZE = (24, 16)
Write = Callable[..., None]


def picture(value: int) -> NDArray[np.uint8]:
    image = np.full((*SIZE[::-1], 3), value, np.uint8)
    image[..., 2] = 255 - value
    return image


def write_frames(folder: Path, stems: list[str], suffix: str = ".jpg", size: tuple[int, int] = SIZE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for t, stem in enumerate(stems):
        image = cv2.resize(picture(10 * t), size, interpolation=cv2.INTER_NEAREST)
        assert cv2.imwrite(str(folder / (stem + suffix)), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def write_packets(path: Path, codec: str) -> list[bytes]:
    """Write a video of nine frames; return its packets."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        frames = [av.VideoFrame.from_ndarray(picture(20 * t), format="rgb24") for t in range(9)]
        packets = [packet for frame in (*frames, None) for packet in stream.encode(frame)]
        container.mux(packets)
    return [bytes(packet) for packet in packets]


def write_mask(path: Path, ids: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), ids)


def write_palette_mask(path: Path, ids: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    palette = np.random.default_rng(0).integers(0, 255, (256, 4), np.uint8)
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.height, stream.width = ids.shape
        stream.pix_fmt = "pal8"
        frame = av.VideoFrame.from_ndarray((ids, palette), format="pal8")  # type: ignore[arg-type]
        container.mux([*stream.encode(frame), *stream.encode(None)])


def write_flo(path: Path, flow: NDArray[np.float32]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = flow.shape[:2]
    path.write_bytes(
        np.float32(202021.25).tobytes() + np.array([width, height], "<i4").tobytes() + flow.astype("<f4").tobytes()
    )


def ids(value: int) -> NDArray[np.uint8]:
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[4:8, 5:9] = value
    return mask


@pytest.fixture
def videos(tmp_path: Path, write_video: Write) -> Path:
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos/b.mp4", [picture(100 + 10 * t) for t in range(5)])
    write_video(tmp_path / "videos/a.mkv", [picture(10 * t) for t in range(4)])
    write_mask(tmp_path / "videos/a_mask/00000.png", ids(255))
    write_mask(tmp_path / "videos/a_mask/00001.png", ids(0))
    (tmp_path / "videos/notes.txt").write_text("no video", encoding="utf-8")
    return tmp_path / "videos"


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    root = tmp_path / "DAVIS"
    for name in ("bear", "camel"):
        write_frames(root / "JPEGImages/480p" / name, ["00000", "00001", "00002"])
        for t in range(3):
            write_palette_mask(root / "Annotations/480p" / name / f"{t:05d}.png", ids(t + 1))
    (root / "ImageSets/2017").mkdir(parents=True)
    (root / "ImageSets/2017/val.txt").write_text("camel\n", encoding="utf-8")
    return root


@pytest.fixture
def youtube(tmp_path: Path) -> Path:
    root = tmp_path / "YouTube-VOS"
    write_frames(root / "train/JPEGImages/0a1b", ["00000", "00005", "00010"])
    write_mask(root / "train/Annotations/0a1b/00005.png", ids(7))
    write_frames(root / "valid/JPEGImages/0c2d", ["00000"])
    return root


@pytest.fixture
def fvi(tmp_path: Path) -> Path:
    root = tmp_path / "FVI"
    for name in ("x", "y"):
        write_frames(root / "Test/JPEGImages" / name, ["00000", "00001", "00002"])
    known = np.full((8, 12), 255, np.uint8)
    known[2:4, 2:4] = 0
    for number in range(2):
        write_mask(root / f"Test/random_masks/rand_curve/35/{number:05d}/00000.png", known)
    return root


class TestVideos:
    def test_clips_are_found_by_name_and_read_in_parts(self, videos: Path) -> None:
        dataset = open_dataset(videos)
        assert dataset.layout == "videos"
        assert dataset.names() == ["a", "b"]
        clip = dataset.clips[1]
        assert (clip.frames, clip.size, clip.has_masks) == (5, SIZE, False)
        frames = clip.read(1, 3)
        assert frames.shape == (2, *SIZE[::-1], 3)
        assert frames.dtype == np.uint8
        for image, value in zip(frames, (110, 120), strict=True):
            assert np.abs(image.astype(int) - picture(value)).max() <= 3
        assert np.array_equal(clip.read(), np.concatenate([clip.read(0, 1), frames, clip.read(3)]))

    def test_masks_lie_beside_and_the_last_one_stays(self, videos: Path) -> None:
        masks = open_dataset(videos).clips[0].read_masks()
        assert masks.shape == (4, *SIZE[::-1])
        assert np.array_equal(masks[0], ids(255))
        assert not masks[1:].any()
        with pytest.raises(InputError, match="clip b: the dataset has no masks"):
            open_dataset(videos).clips[1].read_masks()

    def test_frames_that_are_not_there(self, videos: Path) -> None:
        with pytest.raises(InputError, match="clip a: frames 2 to 9 were asked for, got 2"):
            open_dataset(videos).clips[0].read(2, 9)

    def test_a_file_that_is_no_video(self, videos: Path) -> None:
        (videos / "c.mp4").write_text("nothing", encoding="utf-8")
        with pytest.raises(InputError, match=r"c\.mp4: cannot be decoded"):
            open_dataset(videos).clips[2].read()

    def test_a_title_in_another_encoding_does_no_harm(self, videos: Path) -> None:
        content = (videos / "a.mkv").read_bytes()
        assert content.count(b"Lavf") > 0
        (videos / "a.mkv").write_bytes(content.replace(b"Lavf", b"L\xe9vf"))
        assert open_dataset(videos).clips[0].read().shape == (4, *SIZE[::-1], 3)

    def test_frames_that_are_only_referred_to_are_not_counted(self, videos: Path) -> None:
        path = videos / "c.webm"
        packet = write_packets(path, "libvpx")[4]
        path.write_bytes(path.read_bytes().replace(packet, bytes([packet[0] & ~0x10]) + packet[1:]))  # not to be shown
        clip = open_dataset(videos).clips[2]
        assert clip.frames == len(clip.read()) == 8

    def test_frames_are_decoded_to_count_them_where_packets_may_hold_two(self, videos: Path) -> None:
        write_packets(videos / "c.avi", "mpeg4")
        assert open_dataset(videos).clips[2].frames == 9

    def test_two_videos_of_one_name(self, videos: Path, write_video: Write) -> None:
        write_video(videos / "a.mp4", [picture(0), picture(9)])
        with pytest.raises(InputError, match="two videos are called a"):
            open_dataset(videos)

    def test_a_part_by_names(self, videos: Path) -> None:
        dataset = open_dataset(videos)
        assert dataset.only({"b"}).names() == open_dataset(videos, names={"b"}).names() == ["b"]
        with pytest.raises(InputNotFoundError, match="lacks 2 named clips, first x"):
            dataset.only({"a", "y", "x"})
        with pytest.raises(InputError, match="list of clips is empty"):
            dataset.only([])


class TestDavis:
    def test_frames_object_ids_and_splits(self, davis: Path) -> None:
        dataset = open_dataset(davis)
        assert dataset.layout == "davis"
        assert dataset.names() == ["bear", "camel"]
        clip = open_dataset(davis, split="val").clips[0]
        assert (clip.name, clip.frames, clip.size) == ("camel", 3, SIZE)
        assert np.abs(clip.read(2)[0].astype(int) - picture(20)).max() <= 6
        masks = clip.read_masks(1, 3)
        assert np.array_equal(masks, np.stack([ids(2), ids(3)]))

    def test_masks_of_16_bits(self, davis: Path) -> None:
        values = ids(1).astype(np.uint16)
        values[0, :2] = 2, 65535
        assert cv2.imwrite(str(davis / "Annotations/480p/bear/00000.png"), values)
        mask = open_dataset(davis).clips[0].read_masks(0, 1)[0]
        assert np.array_equal(mask, np.minimum(values, 255))

    def test_a_mask_that_was_cut_off(self, davis: Path) -> None:
        path = davis / "Annotations/480p/bear/00000.jpg"
        for other in path.parent.iterdir():
            other.unlink()
        write_mask(path, np.random.default_rng(0).integers(0, 255, SIZE[::-1], np.uint8))
        assert open_dataset(davis).clips[0].read_masks(0, 1).any()
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
        with pytest.raises(InputError, match=r"00000\.jpg"):
            open_dataset(davis).clips[0].read_masks(0, 1)

    def test_full_resolution_where_there_is_nothing_else(self, davis: Path) -> None:
        for folder in ("JPEGImages", "Annotations"):
            (davis / folder / "480p").rename(davis / folder / "Full-Resolution")
        assert open_dataset(davis).clips[0].has_masks

    def test_what_is_missing_is_named(self, davis: Path) -> None:
        with pytest.raises(InputNotFoundError, match=r"DAVIS lacks ImageSets/2017/train\.txt"):
            open_dataset(davis, split="train")
        (davis / "ImageSets/2017/val.txt").write_text("goat\n", encoding="utf-8")
        with pytest.raises(InputNotFoundError, match=r"lacks JPEGImages/480p/goat/\*\.jpg"):
            open_dataset(davis, split="val")
        with pytest.raises(InputNotFoundError, match="lacks test_masks, the masks"):
            open_dataset(davis, masks="test_masks")
        (davis / "test_masks/bear").mkdir(parents=True)
        with pytest.raises(InputNotFoundError, match=r"lacks test_masks/bear/\*\.png, the masks of clip bear"):
            open_dataset(davis, masks="test_masks")

    def test_forced_on_another_layout(self, youtube: Path) -> None:
        with pytest.raises(InputNotFoundError, match="DAVIS lacks JPEGImages/480p or JPEGImages/Full-Resolution"):
            open_dataset(youtube, "davis")


class TestFrameFolders:
    def test_youtube_vos_with_masks_for_some_frames(self, youtube: Path) -> None:
        dataset = open_dataset(youtube)
        assert (dataset.layout, dataset.names()) == ("youtube-vos", ["0a1b"])
        masks = dataset.clips[0].read_masks()
        assert not masks[0].any()
        assert np.array_equal(masks[1], ids(7))
        assert np.array_equal(masks[2], ids(7))
        assert open_dataset(youtube, split="valid").names() == ["0c2d"]
        assert not open_dataset(youtube, split="valid").clips[0].has_masks
        assert open_dataset(youtube / "train").layout == "youtube-vos"

    def test_frames_masks_and_flow_go_by_number(self, youtube: Path) -> None:
        stems = ["1", "2", "10"]
        write_frames(youtube / "test/JPEGImages/0e3f", stems)
        for number, stem in enumerate(stems):
            write_mask(youtube / f"test/Annotations/0e3f/{stem}.png", ids(number + 1))
        for number, stem in enumerate(("1_2", "2_10")):
            for end in "fb":
                flow = np.full((*SIZE[::-1], 2), number, np.float32)
                write_flo(youtube / f"test/flow/0e3f/{stem}_{end}.flo", flow)
        (clip,) = open_dataset(youtube, split="test").clips
        assert [round(float(frame[..., 0].mean()), -1) for frame in clip.read()] == [0, 10, 20]
        assert clip.read_masks().max(axis=(1, 2)).tolist() == [1, 2, 3]
        assert clip.flow is not None
        assert [clip.flow.read(number)[0].max() for number in range(2)] == [0, 1]

    def test_a_split_that_is_not_there(self, youtube: Path) -> None:
        with pytest.raises(InputNotFoundError, match="youtube-vos lacks test/JPEGImages"):
            open_dataset(youtube, split="test")

    def test_fvi_masks_are_black_in_the_hole_and_matched_in_order(self, fvi: Path) -> None:
        dataset = open_dataset(fvi, masks="random_masks/rand_curve/35")
        assert (dataset.layout, dataset.names()) == ("fvi", ["x", "y"])
        for clip in dataset.clips:
            masks = clip.read_masks()
            assert masks.shape == (3, *SIZE[::-1])
            wanted = np.zeros(SIZE[::-1], bool)
            wanted[4:8, 4:8] = True
            assert np.array_equal(masks > 0, np.stack([wanted] * 3))
        assert not open_dataset(fvi).clips[0].has_masks
        with pytest.raises(InputNotFoundError, match="lacks Test/random_masks/object_like_middle/5, the masks"):
            open_dataset(fvi, masks="random_masks/object_like_middle/5")

    def test_ready_made_flow(self, youtube: Path) -> None:
        flow = np.random.default_rng(0).normal(size=(*SIZE[::-1], 2)).astype(np.float32)
        folder = youtube / "train/Flows_flo/0a1b"
        write_flo(folder / "00000_00005_f.flo", flow)
        write_flo(folder / "00000_00005_b.flo", -flow)
        write_flo(folder / "00005_00010_f.flo", 2 * flow)
        with pytest.raises(InputNotFoundError, match=r"has 2 \*_f\.flo and 1 \*_b\.flo, expected 2 each"):
            open_dataset(youtube)
        write_flo(folder / "00005_00010_b.flo", -2 * flow)
        files = open_dataset(youtube).clips[0].flow
        assert files is not None
        for number in range(2):
            forward, backward = files.read(number)
            assert np.array_equal(forward, (number + 1) * flow)
            assert np.array_equal(backward, -forward)
        (folder / "00000_00005_f.flo").write_bytes(b"PIEH" + bytes(20))
        with pytest.raises(InputError, match="the file is damaged"):
            files.read(0)
        (folder / "00000_00005_f.flo").write_bytes(b"no flow at all")
        with pytest.raises(InputError, match=r"is no \.flo file"):
            files.read(0)

    def test_frames_of_two_sizes(self, youtube: Path) -> None:
        write_frames(youtube / "valid/JPEGImages/0c2d", ["00001"], size=(32, 16))
        clip = open_dataset(youtube, split="valid").clips[0]
        with pytest.raises(InputError, match="clip 0c2d: frame 1 is 32x16, expected 24x16"):
            clip.read()

    def test_an_image_that_is_none(self, youtube: Path) -> None:
        (youtube / "valid/JPEGImages/0c2d/00001.jpg").write_text("nothing", encoding="utf-8")
        with pytest.raises(InputError, match=r"00001\.jpg: cannot be read"):
            open_dataset(youtube, split="valid").clips[0].read()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"layout": "imagenet"}, "expected one of videos, davis, youtube-vos, fvi"),
        ({}, r"no video \(.*\) and no folder JPEGImages"),
        ({"layout": "videos"}, "no video"),
    ],
)
def test_a_folder_of_no_layout(tmp_path: Path, arguments: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_dataset(tmp_path, **arguments)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="is not a folder"):
        open_dataset(tmp_path / "none")


def test_hidden_files_are_passed_over(videos: Path, davis: Path, youtube: Path) -> None:
    write_flo(youtube / "valid/flow/0c2d/._00000_00001_f.flo", np.zeros((1, 1, 2), np.float32))
    (videos / "._a.mp4").write_bytes(b"\0")
    (davis / "JPEGImages/480p/bear/._00000.jpg").write_bytes(b"\0")
    (davis / "Annotations/480p/bear/._00000.png").write_bytes(b"\0")
    (davis / "JPEGImages/480p/bear/thumbnails.png").mkdir()
    assert open_dataset(videos).names() == ["a", "b"]
    assert open_dataset(youtube, split="valid").clips[0].flow is None
    clip = open_dataset(davis).clips[0]
    assert clip.read().shape == (3, *SIZE[::-1], 3)
    assert np.array_equal(clip.read_masks(), np.stack([ids(1), ids(2), ids(3)]))


def test_large_frames_are_scaled_down(davis: Path) -> None:
    clip = open_dataset(davis, longest=12).clips[0]
    assert clip.size == (12, 8)
    assert clip.read().shape == (3, 8, 12, 3)
    assert clip.read_masks()[1, 2:4, 3:4].tolist() == [[2], [2]]
    assert open_dataset(davis, longest=100).clips[0].size == SIZE


def test_another_source_has_another_fingerprint(youtube: Path, videos: Path) -> None:
    for clip in (open_dataset(youtube).clips[0], open_dataset(videos).clips[0]):
        before = clip.fingerprint()
        assert clip.fingerprint() == before
        clip.source.files[-1].write_bytes(clip.source.files[-1].read_bytes() + b"\0")
        assert clip.fingerprint() != before
