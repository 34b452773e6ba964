from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ptfan.engine.errors import InputError, OutputError, OutputExistsError
from ptfan.engine.frame import Box, Frame
from ptfan.engine.media import Encoding, open_sink, open_source
from ptfan.engine.media.orientation import UPRIGHT, Orientation
from ptfan.engine.media.pixel_layout import PixelLayout
from ptfan.engine.media.side_data import read_side_data

Clips = Callable[..., Path]
BOX = Box(20, 11, 17, 14)


def _planes(frame: av.VideoFrame) -> list[np.ndarray]:
    found = []
    for plane, layout in zip(frame.planes, PixelLayout.of(frame.format.name).planes, strict=True):
        rows, row = -(-frame.height // layout.block[1]), -(-frame.width // layout.block[0]) * layout.group
        found.append(np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:rows, :row].copy())
    return found


def _outside(box: Box, layout, shape: tuple[int, int]) -> np.ndarray:
    """Where a plane's bytes belong to no pixel of a box."""
    wide, high = layout.block
    outside = np.ones(shape, bool)
    left, right = box.x // wide * layout.group, ((box.right - 1) // wide + 1) * layout.group
    outside[box.y // high : (box.bottom - 1) // high + 1, left:right] = False
    return outside


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.mkv", {"codec": "ffv1"}),
        ("a.mkv", {"codec": "ffv1", "width": 61, "height": 47}),
        ("a.mkv", {"codec": "ffv1", "pixel_format": "yuv422p10le"}),
        ("a.mkv", {"codec": "ffv1", "pixel_format": "yuva420p", "alpha": 77}),
        ("a.mkv", {"codec": "ffv1", "pixel_format": "gray"}),
        ("a.mkv", {"codec": "ffv1", "pixel_format": "bgr0"}),
        ("a.mkv", {"codec": "ffv1", "pixel_format": "gbrp16le"}),
        ("a.mov", {"codec": "qtrle", "pixel_format": "argb", "alpha": 77}),
        ("a.mp4", {"colour": (1, 1, 1, 1)}),
        ("a.mp4", {"pixel_format": "yuv420p10le"}),
        ("a.mov", {"codec": "mjpeg", "pixel_format": "yuvj422p"}),
    ],
)
def test_lossless_codecs_keep_every_sample_outside_the_hole(
    name: str, settings: dict, clip: Clips, convert, decoded, tmp_path: Path
):
    source, output = clip(name, **settings), tmp_path / ("out.mov" if settings.get("codec") == "qtrle" else "out.mkv")
    lossless = {"codec": settings["codec"]} if output.suffix == ".mov" else {"codec": "ffv1"}
    assert convert(source, output, box=BOX, **lossless) == []
    before, after = decoded(source), decoded(output)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        new = (
            new
            if old.format.name == new.format.name
            else new.reformat(format=old.format.name, dst_color_range=old.color_range)
        )
        changed = 0
        for first, second, layout in zip(
            _planes(old), _planes(new), PixelLayout.of(old.format.name).planes, strict=True
        ):
            outside = _outside(BOX, layout, first.shape)
            assert np.array_equal(first[outside], second[outside])
            changed += int((first != second).sum())
        assert changed > 100


def test_x264_with_quality_0_is_lossless_too(clip: Clips, convert, decoded, tmp_path: Path):
    source = clip(pixel_format="yuv420p10le")
    convert(source, tmp_path / "out.mp4", quality=0)
    for old, new in zip(decoded(source), decoded(tmp_path / "out.mp4"), strict=True):
        assert all(np.array_equal(*pair) for pair in zip(_planes(old), _planes(new), strict=True))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "webm", "avi", "ts", "mpg"])
def test_the_usual_containers_work_by_their_ending(ending: str, clip: Clips, convert, decoded, tmp_path: Path):
    source, output = clip(frames=12, width=96, height=64), tmp_path / f"out.{ending}"
    assert convert(source, output, box=BOX) == []
    before, after = decoded(source), decoded(output)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        first, second = (frame.to_ndarray(format="rgb24").astype(float) for frame in (old, new))
        outside = np.ones(first.shape[:2], bool)
        outside[BOX.y - 3 : BOX.bottom + 3, BOX.x - 3 : BOX.right + 3] = False
        assert np.abs(first - second)[outside].mean() < 5
        assert np.abs(second[BOX.y + 5 : BOX.bottom - 5, BOX.x + 5 : BOX.right - 5] - (255, 0, 255)).mean() < 25


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_time_stamps_of_a_variable_rate_are_kept(ending: str, clip: Clips, convert, decoded, tmp_path: Path):
    base = Fraction(1, 1000) if ending == "mkv" else Fraction(1, 90000)
    times = [500, 533, 633, 634, 755, 1100] if ending == "mkv" else [45000, 48003, 54009, 54100, 65000, 90000]
    source = clip(f"in.{ending}", time_base=base, times=times, frames=6, duration=70)
    convert(source, tmp_path / f"out.{ending}", box=BOX)
    old, new = decoded(source), decoded(tmp_path / f"out.{ending}")
    assert [frame.pts * frame.time_base for frame in new] == [time * base for time in times]
    assert new[-1].duration * new[-1].time_base == old[-1].duration * old[-1].time_base == 70 * base


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx-vp9", "libx265", "ffv1", "libsvtav1"])
def test_other_codecs_keep_them_too(codec: str, clip: Clips, convert, decoded, tmp_path: Path):
    times = [0, 33, 100, 101, 222, 500]
    source = clip("in.mkv", time_base=Fraction(1, 1000), times=times, frames=6, width=96, height=64)
    assert convert(source, tmp_path / "out.mkv", codec=codec) == []
    assert [frame.pts for frame in decoded(tmp_path / "out.mkv")] == times


UNEVEN = [0, 400, 440, 480, 1000, 1040, 2000]
"""Milliseconds: 25 frames a second with gaps, as of a recorded screen."""


def _uneven(clip: Clips) -> Path:
    return clip("in.mkv", time_base=Fraction(1, 1000), times=UNEVEN, frames=len(UNEVEN))


def test_a_constant_rate_rounds_and_says_so(clip: Clips, convert, decoded, tmp_path: Path):
    source = clip("in.mkv", time_base=Fraction(1, 1000), times=[0, 40, 95, 120, 160, 500], frames=6)
    warnings = convert(source, tmp_path / "out.avi")
    assert warnings == [
        f"{tmp_path / 'out.avi'}: time stamps are rounded to 40 frames a second, by up to 0.010 s: "
        "this codec or container keeps only a constant rate"
    ]
    assert len(decoded(tmp_path / "out.avi")) >= 6


@pytest.mark.parametrize("name", ["out.avi", "out.wmv", "out.asf"])
def test_gaps_stay_where_only_a_rate_is_kept(name: str, clip: Clips, convert, decoded, tmp_path: Path):
    assert convert(_uneven(clip), tmp_path / name) == []
    times = [frame.time for frame in decoded(tmp_path / name)]
    assert [round(1000 * (time - times[0])) for time in times] == UNEVEN


@pytest.mark.parametrize("name", ["out.ogv", "out.mxf", "out.mpg", "out.vob"])
def test_where_no_tick_may_be_without_a_frame_the_last_one_is_repeated(
    name: str, clip: Clips, convert, decoded, tmp_path: Path
):
    source = _uneven(clip)
    assert convert(source, tmp_path / name, box=BOX) == []
    frames = decoded(tmp_path / name)
    assert [round(1000 * (frame.time - frames[0].time)) for frame in frames] == list(range(0, 2001, 40))
    for number, old in enumerate(decoded(source)):
        new = frames[UNEVEN[number] // 40]
        first, second = (frame.to_ndarray(format="rgb24").astype(float) for frame in (old, new))
        first[BOX.slices] = second[BOX.slices] = 0
        assert np.abs(first - second).mean() < 6


@pytest.mark.parametrize("name", ["out.mpg", "out.mxf"])
def test_a_rate_that_mpeg_2_cannot_say_becomes_one_that_it_can(
    name: str, clip: Clips, convert, decoded, tmp_path: Path
):
    source = clip("in.mkv", time_base=Fraction(1, 1000), times=[0, 71, 142, 213, 284], frames=5)
    (warning,) = convert(source, tmp_path / name)
    assert "time stamps are rounded to 23.976 frames a second, by up to 0.0" in warning
    times = [frame.time for frame in decoded(tmp_path / name)]
    assert times[-1] - times[0] == pytest.approx(0.284, abs=0.03)


@pytest.mark.parametrize("name", ["out.wmv", "out.ogv"])
def test_frames_come_in_order_and_begin_at_0(name: str, clip: Clips, convert, decoded, tmp_path: Path):
    convert(clip(frames=20), tmp_path / name)
    assert [round(1000 * frame.time) for frame in decoded(tmp_path / name)] == list(range(0, 800, 40))


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "ts"])
@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (9, 1, 9, 16), (6, 2, 6, 6)])
def test_colour_tags_and_aspect_are_kept(ending: str, tags: tuple, clip: Clips, convert, decoded, tmp_path: Path):
    source = clip("in.mkv", colour=tags, aspect=Fraction(4, 3))
    convert(source, tmp_path / f"out.{ending}", box=BOX)
    frame = decoded(tmp_path / f"out.{ending}")[-1]
    assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == tags
    with av.open(str(tmp_path / f"out.{ending}")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_an_aspect_that_cannot_be_kept_is_named(clip: Clips, convert, decoded, tmp_path: Path):
    output = tmp_path / "out.webm"
    (warning,) = convert(clip(aspect=Fraction(4, 3), colour=(1, 1, 1, 1)), output)
    assert warning.startswith(f"{output}: the sample aspect ratio 4/3 is dropped: libvpx-vp9 keeps none here")
    assert decoded(output)[0].colorspace == 1


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_ten_bits_stay_ten(codec: str, clip: Clips, convert, decoded, tmp_path: Path):
    assert convert(clip(pixel_format="yuv420p10le"), tmp_path / "out.mp4", box=BOX, codec=codec) == []
    assert decoded(tmp_path / "out.mp4")[0].format.name == "yuv420p10le"


@pytest.mark.parametrize("pixels", ["yuva420p", "yuva422p", "yuva444p", "yuva444p10le", "bgra"])
@pytest.mark.parametrize(("codec", "kept"), [("vp9", True), ("vp8", True), ("libx265", False)])
def test_alpha_of_any_format_is_kept_or_its_loss_is_named(
    codec: str, kept: bool, pixels: str, clip: Clips, convert, tmp_path: Path
):
    source, output = clip("in.mkv", codec="ffv1", pixel_format=pixels, alpha=77, frames=3), tmp_path / "out.mkv"
    dropped = f"{output}: the alpha channel is dropped: libx265 keeps none"
    assert (dropped not in convert(source, output, codec=codec)) == kept
    with av.open(str(output)) as container:
        assert (container.streams.video[0].metadata.get("alpha_mode") == "1") == kept


def test_lossless_rgb_has_no_alpha_in_vp9(clip: Clips, convert, tmp_path: Path):
    source, output = clip("in.mkv", codec="ffv1", pixel_format="bgra", alpha=77, frames=3), tmp_path / "out.webm"
    assert convert(source, output, quality=0) == [
        f"{output}: the alpha channel is dropped: libvpx-vp9 keeps none in RGB"
    ]


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_hevc_is_called_what_every_player_opens(ending: str, clip: Clips, convert, tmp_path: Path):
    source = clip(width=96, height=64)
    convert(source, tmp_path / f"out.{ending}", codec="libx265")
    convert(source, tmp_path / f"plain.{ending}")
    for name, tag in (("out", "hvc1"), ("plain", "avc1")):
        with av.open(str(tmp_path / f"{name}.{ending}")) as container:
            assert container.streams.video[0].codec_context.codec_tag == tag


@pytest.mark.parametrize("ending", ["mkv", "webm", "mp4"])
def test_the_only_pictures_are_the_default_ones(ending: str, clip: Clips, convert, tmp_path: Path):
    convert(clip(frames=2), tmp_path / "frames/")
    for source in (clip("in.ts", frames=25), tmp_path / "frames"):
        convert(source, tmp_path / f"out.{ending}", overwrite=True)
        with av.open(str(tmp_path / f"out.{ending}")) as container:
            assert container.streams.video[0].disposition == av.stream.Disposition.default


HDR = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
DEEP = {"codec": "libx265", "pixel_format": "yuv420p10le", "width": 96, "height": 64}
PQ = (9, 1, 9, 16)


def _hdr(frame: av.VideoFrame) -> dict[str, bytes]:
    found = read_side_data(frame) or {}
    return {name: found[name] for name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")}


@pytest.mark.parametrize(("ending", "codec"), [("mp4", "libx265"), ("mkv", "libx265"), ("mkv", "libx264")])
def test_hdr10_s_metadata_are_kept(ending: str, codec: str, clip: Clips, convert, decoded, tmp_path: Path):
    source = clip("in.mkv", **DEEP, colour=PQ, options={"x265-params": f"log-level=none:{HDR}"})
    assert convert(source, tmp_path / f"out.{ending}", box=BOX, codec=codec) == []
    assert _hdr(decoded(tmp_path / f"out.{ending}")[0]) == _hdr(decoded(source)[0])


def test_hdr10_s_metadata_that_an_encoder_does_not_take_are_named(clip: Clips, convert, tmp_path: Path):
    source = clip("in.mkv", **DEEP, colour=PQ, options={"x265-params": f"log-level=none:{HDR}"})
    (warning,) = convert(source, tmp_path / "out.mkv", codec="ffv1")
    assert "the HDR10 metadata (mastering display, light levels) are dropped" in warning


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_ten_bits_of_hevc_or_hdr_that_become_h264_are_told_of(ending: str, clip: Clips, convert, tmp_path: Path):
    output = tmp_path / f"out.{ending}"
    hint = f"{output}: is H.264 of 10 bits a sample, which few devices play; --codec libx265 makes HEVC instead"
    hevc, hdr = clip("hevc.mkv", **DEEP), clip("hdr.mkv", **{**DEEP, "codec": "libx264"}, colour=PQ)
    for source in (hevc, hdr):
        assert convert(source, output, overwrite=True) == [hint]
        assert convert(source, output, overwrite=True, codec="libx264") == []
    assert convert(clip("plain.mkv", codec="libx265", width=96, height=64), output, overwrite=True) == []


def test_what_a_codec_cannot_hold_is_named(clip: Clips, convert, tmp_path: Path):
    path = tmp_path / "out.mp4"
    deep, clear, odd = (
        clip("deep.mkv", codec="ffv1", pixel_format="yuv420p12le"),
        clip("clear.mkv", codec="ffv1", pixel_format="yuva420p", alpha=9),
        clip("odd.mkv", codec="ffv1", width=61),
    )
    assert convert(deep, path) == [f"{path}: 12 bits a sample become 10: libx264 keeps no more"]
    assert convert(clear, path, overwrite=True) == [f"{path}: the alpha channel is dropped: libx264 keeps none"]
    assert convert(odd, path, overwrite=True) == [f"{path}: yuv444p is used, as libx264 takes no odd size in yuv420p"]


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "libsvtav1", "ffv1", "mpeg4"])
@pytest.mark.parametrize("size", [(101, 67), (100, 67), (101, 66)])
def test_odd_sizes(codec: str, size: tuple[int, int], clip: Clips, convert, decoded, tmp_path: Path):
    source = clip("in.mkv", codec="ffv1", width=size[0], height=size[1])
    convert(source, tmp_path / "out.mkv", box=Box(90, 50, 10, 15), codec=codec)
    frame = decoded(tmp_path / "out.mkv")[2]
    assert (frame.width, frame.height) == size
    picture = frame.to_ndarray(format="rgb24").astype(int)
    assert np.abs(picture[55:60, 93:97] - (255, 0, 255)).mean() < 30


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm", "avi"])
def test_a_frame_or_two(frames: int, ending: str, clip: Clips, convert, decoded, tmp_path: Path):
    assert convert(clip(frames=frames), tmp_path / f"out.{ending}", box=BOX) == []
    assert len(decoded(tmp_path / f"out.{ending}")) == frames


@pytest.mark.parametrize("turn", range(8))
@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_rotation_is_kept_in_whatever_way_the_container_has(
    turn: int, ending: str, clip: Clips, convert, tmp_path: Path
):
    orientation = Orientation(bool(turn & 1), bool(turn & 2), bool(turn & 4))
    source, output = clip(matrix=orientation.matrix, width=96, aspect=Fraction(4, 3)), tmp_path / f"out.{ending}"
    convert(source, output, box=Box(8, 24, 12, 16), codec="libx264" if ending == "avi" else None, quality=4)
    with open_source(source) as first, open_source(output) as second:
        aspect = first.info.sample_aspect
        assert (first.info.width, first.info.height) == (second.info.width, second.info.height)
        if ending == "avi":
            assert second.info.orientation == UPRIGHT
        else:
            assert (second.info.orientation, second.info.sample_aspect) == (orientation, aspect)
        for old, new in zip(first, second, strict=True):
            assert np.abs(new.image[30:36, 12:16].astype(int) - (255, 0, 255)).mean() < 20
            difference = np.abs(old.image.astype(int) - new.image)
            difference[20:44, 4:24] = 0
            assert difference.mean() < 3


@pytest.mark.parametrize("ending", ["mp4", "avi", "y4m"])
def test_a_rotation_that_key_frames_alone_tell_holds_for_all_frames(
    ending: str, sideways_clip: Path, convert, tmp_path: Path
):
    output = tmp_path / f"out.{ending}"
    convert(sideways_clip, output, box=Box(8, 40, 12, 16))
    with open_source(sideways_clip) as first, open_source(output) as second:
        assert (second.info.width, second.info.height) == (first.info.width, first.info.height) == (48, 64)
        for index, (old, new) in enumerate(zip(first, second, strict=True)):
            bright = np.zeros((64, 48), bool)
            bright[34:, :20] = True  # the upper left corner, which is now the lower left one
            assert np.abs(old.image[bright].astype(int) - (40 + 20 * index)).mean() < 3
            assert old.image[~bright].mean() < 8
            assert np.abs(new.image[44:52, 11:17].astype(int) - (255, 0, 255)).mean() < 20
            assert np.abs(new.image[:30].astype(int) - old.image[:30]).mean() < 3


def test_a_folder_becomes_a_video_that_players_show(clip: Clips, convert, decoded, tmp_path: Path):
    convert(clip(), tmp_path / "frames/")
    assert convert(tmp_path / "frames", tmp_path / "out.mp4", box=BOX) == []
    frame = decoded(tmp_path / "out.mp4")[3]
    assert (frame.format.name, frame.colorspace, frame.color_range, frame.color_primaries) == ("yuv420p", 1, 1, 1)
    original = decoded(tmp_path / "clip.mp4")[3].to_ndarray(format="rgb24").astype(int)
    difference = np.abs(frame.to_ndarray(format="rgb24") - original)
    difference[BOX.slices] = 0
    assert difference.mean() < 5


def test_a_folder_can_stay_exact(clip: Clips, convert, decoded, tmp_path: Path):
    convert(clip(), tmp_path / "frames/")
    convert(tmp_path / "frames", tmp_path / "out.mkv", codec="ffv1")
    for old, new in zip(decoded(tmp_path / "clip.mp4"), decoded(tmp_path / "out.mkv"), strict=True):
        assert np.array_equal(old.to_ndarray(format="rgb24"), new.to_ndarray(format="rgb24"))


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (
            "out.mp4",
            {"codec": "nonsense"},
            "codec 'nonsense': there is no such video encoder here; mp4 takes libx264, ",
        ),
        ("out.mp4", {"codec": "aac"}, "there is no such video encoder"),
        (
            "out.webm",
            {"codec": "libx264"},
            "the container webm does not take it; webm takes libsvtav1, libvpx-vp9, libvpx",
        ),
        (
            "out.mp4",
            {"preset": "warp"},
            "preset 'warp': libx264 has none of that name; expected ultrafast, ",
        ),
        (
            "out.mp4",
            {"codec": "h264_nvenc", "preset": "warp"},
            "codec 'h264_nvenc': cannot encode .* cq 16, b 0, preset warp; it needs an NVIDIA GPU and its driver$",
        ),
    ],
)
def test_a_codec_that_cannot_be_used_is_refused(name: str, settings: dict, words: str, clip: Clips, tmp_path: Path):
    with open_source(clip()) as source, pytest.raises(InputError, match=words):
        open_sink(tmp_path / name, source, Encoding(**settings))
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_nothing_is_there_before_the_end_and_nothing_else_after(clip: Clips, fill, tmp_path: Path):
    output = tmp_path / "deep" / "out.mp4"
    output.parent.mkdir()
    with open_source(clip()) as source:
        with open_sink(output, source) as sink:
            for sample in source:
                sink.write(sample, fill(sample, BOX))
                assert not output.exists()
                assert [path.suffix for path in output.parent.iterdir()] == [".mp4"]  # players know it meanwhile
                assert all(path.name.startswith(".out") for path in output.parent.iterdir())
        sink.close()  # harmless
        assert sink.abort(keep_partial=True) is None
    assert [path.name for path in output.parent.iterdir()] == ["out.mp4"]


def _fail(source: Path, output: Path, fill: Callable[..., Frame]) -> None:
    with open_source(source) as reader, open_sink(output, reader, overwrite=True) as sink:
        for sample in reader:
            sink.write(sample, fill(sample, BOX))
            if sample.index == 5:
                raise ZeroDivisionError


def test_an_error_leaves_the_older_output(clip: Clips, fill, tmp_path: Path):
    output = tmp_path / "out.mp4"
    output.write_bytes(b"older")
    with pytest.raises(ZeroDivisionError):
        _fail(clip(), output, fill)
    assert output.read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "webm"])
def test_what_is_done_can_be_kept_and_plays(ending: str, clip: Clips, fill, decoded, tmp_path: Path):
    output = tmp_path / f"out.{ending}"
    output.write_bytes(b"older")
    with open_source(clip("in.mkv", frames=30, audio="libopus")) as source:
        sink = open_sink(output, source, overwrite=True, warn=lambda line: None)
        for sample in source:
            if sample.index < 12:
                sink.write(sample, fill(sample, BOX))
        partial = sink.abort(keep_partial=True)
    assert partial == tmp_path / f"out.partial.{ending}"
    assert len(decoded(partial)) == 12
    assert output.read_bytes() == b"older"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_nothing_done_leaves_nothing(clip: Clips, tmp_path: Path):
    with open_source(clip()) as source:
        assert open_sink(tmp_path / "out.mp4", source).abort(keep_partial=True) is None
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_late_first_picture_stays_late_where_only_a_rate_is_kept(clip: Clips, convert, decoded, tmp_path: Path):
    source = clip("in.mkv", time_base=Fraction(1, 1000), times=[480 + 40 * index for index in range(10)])
    convert(source, tmp_path / "out.avi")
    assert [round(frame.time, 3) for frame in decoded(tmp_path / "out.avi")] == [
        round(frame.time, 3) for frame in decoded(source)
    ]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "avi"])
def test_without_a_picture_there_is_no_file(ending: str, clip: Clips, tmp_path: Path):
    source, output = clip("in.mkv", audio="aac"), tmp_path / f"out.{ending}"
    with open_source(source) as reader, open_sink(output, reader):
        pass
    assert list(tmp_path.iterdir()) == [source]


def test_an_older_output_is_kept_or_replaced_as_asked(clip: Clips, convert, decoded, tmp_path: Path):
    output = tmp_path / "out.mp4"
    output.write_bytes(b"older")
    with pytest.raises(OutputExistsError, match="exists already; give --overwrite"):
        convert(clip(), output)
    assert output.read_bytes() == b"older"
    convert(clip(), output, overwrite=True)
    assert len(decoded(output)) == 10


def test_a_folder_that_is_not_there_is_named(clip: Clips, convert, tmp_path: Path):
    with pytest.raises(OutputError, match=r"out\.mp4: its folder .*nowhere does not exist; make it first"):
        convert(clip(), tmp_path / "nowhere" / "out.mp4")


def test_a_folder_that_goes_away_meanwhile_is_said_of_the_output(clip: Clips, fill, tmp_path: Path):
    output = tmp_path / "out" / "out.mkv"
    output.parent.mkdir()
    with open_source(clip()) as source:
        sink = open_sink(output, source)
        for sample in source:
            sink.write(sample, fill(sample, BOX))
        shutil.rmtree(output.parent)
        with pytest.raises(OutputError, match=r"out/out\.mkv: cannot be written: no such file"):
            sink.close()


CROWDED = """
import resource, signal, sys
from ptfan.engine.errors import OutputError
from ptfan.engine.frame import Frame
from ptfan.engine.media import open_sink, open_source
import numpy as np
limit = int(sys.argv[3])
with open_source(sys.argv[1]) as source:
    samples = list(source)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        with open_sink(sys.argv[2], source, overwrite=True) as sink:
            for sample in samples * 8:
                sink.write(sample, Frame(sample.image, np.zeros(sample.image.shape[:2], bool)))
    except OutputError as error:
        print(error)
        print(error.errno)
"""


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.avi", "out.y4m", "out"])
def test_a_file_that_may_not_grow_leaves_the_older_one(name: str, clip: Clips, tmp_path: Path):
    (tmp_path / "limit").mkdir()
    output = tmp_path / "limit" / name
    if output.suffix:
        output.write_bytes(b"older")
    else:
        output.mkdir()
        (output / "000000.png").write_bytes(b"older")
    limit = 300 if name == "out" else 4000
    command = [sys.executable, "-c", CROWDED, str(clip(frames=20)), str(output), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    message, code = done.stdout.splitlines()
    assert message == f"{output}: cannot be written: file too large"
    assert int(code) == errno.EFBIG
    assert [path.name for path in output.parent.iterdir()] == [name]
    assert (output if output.suffix else output / "000000.png").read_bytes() == b"older"


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.y4m", "frames"])
def test_a_full_disk_is_said_in_one_line(name: str, clip: Clips, convert, tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount a small disk here")
    try:
        with pytest.raises(OutputError) as caught:
            convert(clip(frames=60, width=160, height=128), disk / name, quality=1 if "." in name else None)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert str(caught.value) == f"{disk / name}: cannot be written: the disk is full"
    assert caught.value.errno == errno.ENOSPC


def test_the_input_is_not_written_over(clip: Clips, convert, tmp_path: Path):
    source = clip()
    link = tmp_path / "link.mp4"
    os.link(source, link)
    for output in (source, link):
        with pytest.raises(OutputError, match="is the input itself"):
            convert(source, output, overwrite=True)


def test_the_decoder_s_frames_are_handed_back_as_they_were(clip: Clips, fill, tmp_path: Path):
    with open_source(clip(), 0.2) as source, open_sink(tmp_path / "out.avi", source) as sink:
        for sample in source:
            before = (sample.native.pts, sample.native.time_base)
            sink.write(sample, fill(sample, None))
            assert (sample.native.pts, sample.native.time_base) == before == (sample.pts, sample.time_base)


def test_memory_does_not_grow_with_the_length(clip: Clips, convert, tmp_path: Path):
    source = clip("in.mkv", frames=400, audio="libopus")
    convert(source, tmp_path / "out.mkv", end=4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    convert(source, tmp_path / "out.mkv", overwrite=True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kilobytes


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *[("out.avi", None), ("out.wmv", None), ("out.mpg", None), ("out.mxf", None), ("out.ogv", None)],
        *[("out.mov", "prores_ks"), ("out.mkv", "mpeg4"), ("out.mkv", "mpeg2video"), ("out.mkv", "vp8")],
        *[("out.mkv", "mjpeg"), ("out.mkv", None), ("out.webm", None)],
    ],
)
@pytest.mark.parametrize("pixel_format", ["yuvj420p", "yuv422p"])
def test_a_full_range_is_shown_as_it_was(
    name: str, codec: str | None, pixel_format: str, clip: Clips, convert, decoded, tmp_path: Path
):
    source = clip("in.mkv", pixel_format=pixel_format, colour=(1, 2, 1, 1), width=352, height=288)
    assert not [line for line in convert(source, tmp_path / name, box=BOX, codec=codec) if "range" in line]
    old, new = (decoded(path)[0] for path in (source, tmp_path / name))
    new.colorspace = 1 if new.colorspace == 2 else new.colorspace  # AVI does not tell
    shift = new.to_ndarray(format="rgb24").astype(float) - old.to_ndarray(format="rgb24")
    shift[BOX.slices] = 0
    assert np.abs(shift.mean((0, 1))).max() < 2


def test_a_full_range_that_is_not_noted_is_told(clip: Clips, convert, tmp_path: Path):
    source = clip("in.mkv", codec="ffv1", colour=(1, 2, 1, 1))
    (warning,) = convert(source, tmp_path / "out.avi", codec="ffv1")
    assert warning.endswith("so that players show too much contrast; .mkv notes it")
    assert convert(source, tmp_path / "out.mkv", codec="ffv1") == []
