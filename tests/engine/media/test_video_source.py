from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ptfan.engine.errors import InputError, UnreadableError
from ptfan.engine.media import Sample, StreamInfo, open_source
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.rgb import RgbConverter
from ptfan.engine.media.video_file import VideoFile

Clips = Callable[..., Path]


def _read(
    path: Path, start: float | None = None, end: float | None = None
) -> tuple[StreamInfo, list[Sample], list[str]]:
    warnings: list[str] = []
    with open_source(path, start, end, warn=warnings.append) as source:
        return source.info, list(source), warnings


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.mp4", {}),
        ("a.mkv", {}),
        ("a.webm", {"codec": "libvpx-vp9"}),
        ("b.webm", {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "10"}, "frames": 40}),
        ("a.avi", {"codec": "mpeg4"}),
        ("b.avi", {}),
        ("a.ts", {}),
        ("a.mov", {"codec": "mjpeg", "pixel_format": "yuvj422p"}),
        ("a.nut", {"codec": "ffv1", "pixel_format": "yuv444p"}),
        ("odd.mkv", {"codec": "ffv1", "width": 61, "height": 47}),
        ("grey.mkv", {"codec": "ffv1", "pixel_format": "gray"}),
        ("one.mp4", {"frames": 1}),
        ("two.mp4", {"frames": 2}),
        ("bt709.mp4", {"colour": (1, 1, 1, 1)}),
        ("full.mp4", {"colour": (5, 2, 5, 6)}),
        ("gif.gif", {"codec": "gif", "pixel_format": "rgb8"}),
        ("raw.h264", {}),
    ],
)
def test_pictures_are_those_of_pyav(name: str, settings: dict, clip: Clips, decoded):
    path = clip(name, **settings)
    frames = decoded(path)
    info, samples, warnings = _read(path)
    assert warnings == []
    assert info.frames == len(frames) or (info.frames is None and name in ("a.avi", "raw.h264"))
    assert [sample.index for sample in samples] == list(range(len(frames)))
    for sample, frame in zip(samples, frames, strict=True):
        assert np.array_equal(sample.image, frame.to_ndarray(format="rgb24"))
        assert sample.image.dtype == np.uint8
    assert (info.width, info.height) == (frames[0].width, frames[0].height)


def test_time_stamps_of_a_variable_rate(clip: Clips):
    times = [0, 3003, 9009, 9100, 20000, 45000]
    info, samples, _ = _read(clip(time_base=Fraction(1, 90000), times=times, frames=6, duration=7000))
    assert [sample.time for sample in samples] == [Fraction(time, 90000) for time in times]
    assert (info.frames, info.duration) == (6, Fraction(52000, 90000))


@pytest.mark.parametrize("name", ["yuv420p10le", "yuv422p10le"])
def test_ten_bits(name: str, clip: Clips, decoded):
    path = clip(pixel_format=name, colour=(9, 1, 9, 16))
    info, samples, _ = _read(path)
    assert (info.depth, info.pixel_format, info.colour.transfer) == (10, name, 16)
    assert samples[0].image.dtype == np.uint16
    assert np.array_equal(samples[3].image, decoded(path)[3].to_ndarray(format="rgb48le"))


@pytest.mark.parametrize("turn", range(8))
def test_pictures_are_turned_as_displayed(turn: int, clip: Clips, decoded):
    orientation = Orientation(bool(turn & 1), bool(turn & 2), bool(turn & 4))
    path = clip(matrix=orientation.matrix, aspect=Fraction(4, 3))
    info, samples, _ = _read(path)
    assert (info.width, info.height) == ((48, 64) if orientation.transpose else (64, 48))
    assert (info.orientation, info.sample_aspect) == (orientation, Fraction(4, 3))
    coded = decoded(path)[2].to_ndarray(format="rgb24")
    assert np.array_equal(samples[2].image, orientation.apply(coded))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
@pytest.mark.parametrize(("start", "end"), [(None, 0.5), (0.4, None), (0.41, 1.2), (1.0, 1.04), (0, 0.01)])
def test_a_span_is_what_the_whole_has_there(name: str, start: float | None, end: float | None, clip: Clips):
    # The clock of a transport stream begins with the first of its streams, and sound begins a little before.
    path = clip(name, frames=40, options={"g": "12"}, audio=None if name == "a.ts" else "aac")
    _, whole, _ = _read(path)
    info, part, _ = _read(path, start, end)
    first = 0 if start is None else -(-start * 100 // 4)
    stop = 40 if end is None else -(-end * 100 // 4)
    assert [sample.index for sample in part] == list(range(int(first), int(stop)))
    assert (info.first, info.frames) == (int(first), int(stop) - int(first))
    for sample in part:
        assert sample.pts == whole[sample.index].pts
        assert np.array_equal(sample.image, whole[sample.index].image)


def test_a_span_with_nothing_in_it_is_refused(clip: Clips):
    with pytest.raises(InputError, match=r"no frame is shown at .* s or later.*; the last one is at 0\.36 s"):
        open_source(clip(), 5)


def test_it_can_be_read_again(clip: Clips):
    with open_source(clip()) as source:
        first, second = list(source), list(source)
    assert len(first) == len(second) == 10
    assert np.array_equal(first[9].image, second[9].image)


def test_reading_may_stop_anywhere(clip: Clips):
    with open_source(clip()) as source:
        assert len(list(itertools.islice(source, 3))) == 3
        assert len(list(source)) == 10


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "ffv1"), ("a.mp4", "libx264"), ("a.ts", "mpeg2video")])
def test_interlaced_frames_are_made_whole(name: str, codec: str, clip: Clips, decoded):
    options = {"x264-params": "tff=1"} if codec == "libx264" else {}
    path = clip(name, codec=codec, field_order="tff", frames=12, options=options)
    info, samples, warnings = _read(path)
    assert info.interlaced
    assert warnings == [f"{path}: is interlaced; its frames are deinterlaced"]
    assert len(samples) == 12
    assert [sample.pts for sample in samples] == [frame.pts for frame in decoded(path)]

    def combing(image: np.ndarray) -> float:
        rows = image.astype(float)
        return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())

    assert combing(samples[6].image) < 0.75 * combing(decoded(path)[6].to_ndarray(format="rgb24"))


@pytest.mark.parametrize(
    ("name", "settings"),
    [("a.mov", {"codec": "qtrle", "pixel_format": "argb"}), ("a.mkv", {"codec": "ffv1", "pixel_format": "yuva420p"})],
)
def test_alpha_stays_in_the_native_frame(name: str, settings: dict, clip: Clips):
    info, samples, warnings = _read(clip(name, alpha=90, **settings))
    assert info.has_alpha
    assert warnings == []
    assert samples[0].image.shape == (48, 64, 3)


def test_alpha_beside_the_coded_pictures_is_read_also_after_a_search(clip: Clips):
    path = clip("a.webm", codec="libvpx-vp9", pixel_format="yuva420p", alpha=90, frames=30, options={"g": "5"})
    for start, count in ((None, 30), (0.5, 17)):
        info, samples, warnings = _read(path, start)
        assert (info.has_alpha, info.pixel_format, warnings, len(samples)) == (True, "yuva420p", [], count)
        assert samples[0].native.to_ndarray(format="rgba")[..., 3].mean() == pytest.approx(90, abs=2)


def test_alpha_that_the_decoder_does_not_deliver_is_named(clip: Clips, monkeypatch: pytest.MonkeyPatch):
    path = clip("a.webm", codec="libvpx-vp9", pixel_format="yuva420p", alpha=90)
    monkeypatch.setattr(av, "codecs_available", set())
    assert _read(path)[2] == [f"{path}: its alpha channel is dropped: the decoder does not read it"]


def test_an_animated_webp_is_called_what_it_is(clip: Clips):
    path = clip("a.webp", codec="libwebp", frames=3)
    with pytest.raises(UnreadableError, match=r"a\.webp: is an animated WebP, which FFmpeg does not decode"):
        _read(path)


@pytest.mark.parametrize(("name", "options"), [("a.mp4", {"movflags": "faststart"}), ("a.mkv", {}), ("a.ts", {})])
def test_a_truncated_file_gives_what_it_has(name: str, options: dict, clip: Clips):
    path = clip(name, frames=60, width=128, height=96, container_options=options, options={"g": "10"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    info, samples, warnings = _read(path)
    assert 10 < len(samples) < 55
    assert info.frames == len(samples)
    if name != "a.ts":  # a broadcast does not say how long it is
        assert len(warnings) == 1
        assert warnings[0].startswith(f"{path}: is damaged or cut short: {len(samples)} frames")


def test_a_damaged_part_is_passed_over(clip: Clips):
    path = clip("a.mov", codec="png", pixel_format="rgb24", frames=20)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    start = data.index(b"IDAT", places[7][0])
    data[start : start + 400] = bytes(400)
    path.write_bytes(data)
    _, samples, warnings = _read(path)
    assert [sample.index for sample in samples] == [*range(7), *range(8, 20)]  # a mask stays with its frame
    assert len(warnings) == 1
    assert "is damaged or cut short" in warnings[0]


@pytest.mark.parametrize("keep", [0, 100, 600])
def test_a_file_cut_before_the_first_frame_is_refused_in_one_line(keep: int, clip: Clips):
    path = clip()
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError) as caught:
        open_source(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.srt"])
def test_text_is_no_video(name: str, tmp_path: Path):
    path = tmp_path / name
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 5)
    with pytest.raises(InputError, match=r"not a video|no video stream"):
        open_source(path)


def test_sound_alone_is_no_video(tmp_path: Path):
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000)
        for start in range(0, 9216, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), "s16", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="has no video stream, only audio"):
        open_source(path)


def test_gaps_in_an_avi_are_no_damage(clip: Clips):
    times = [*range(4), *range(7, 20)]
    path = clip("a.avi", codec="ffv1", time_base=Fraction(1, 25), times=times, frames=len(times))
    assert _read(path)[2] == []
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    _, samples, warnings = _read(path)
    assert warnings == [f"{path}: is damaged or cut short: {len(samples)} frames of 17 could be read"]


def test_a_change_of_size_is_refused_with_the_frame(tmp_path: Path, clip: Clips):
    path = tmp_path / "both.h264"
    path.write_bytes(clip("a.h264", frames=5).read_bytes() + clip("b.h264", frames=5, width=96).read_bytes())
    with (
        open_source(path) as source,
        pytest.raises(InputError, match=r"frame 5 is coded as 96x48, the first one .* 64x48"),
    ):
        list(source)


def test_a_stream_without_time_stamps_gets_some(clip: Clips):
    _, samples, _ = _read(clip("a.h264", frames=12))
    times = [sample.time for sample in samples]
    assert all(first < second for first, second in itertools.pairwise(times))


def test_a_cut_recording_does_not_promise_a_number_of_frames(clip: Clips):
    path = clip("a.ts", frames=60, width=128, height=96, options={"g": "25"})
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    info, samples, _ = _read(path)
    assert info.frames in (None, len(samples))
    assert samples


@pytest.mark.parametrize("space", [8, 10])
def test_a_colour_matrix_that_cannot_be_converted_is_refused(space: int, clip: Clips):
    with (
        open_source(clip(colour=(1, 1, 1, 1))) as source,
        pytest.raises(InputError, match=f"colour matrix .code {space}"),
    ):
        for _ in _retagged(source, space):
            pass


def test_another_failure_is_not_laid_to_the_colour_matrix(clip: Clips, monkeypatch: pytest.MonkeyPatch):
    def crowded(self, frame):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(RgbConverter, "convert", crowded)
    with open_source(clip()) as source, pytest.raises(BlockingIOError):
        next(iter(source))


def _retagged(source, space: int):
    """Read a source as if its frames had another colour matrix: no encoder here writes these."""
    decode = VideoFile.frames

    def frames(self):
        for frame in decode(self):
            frame.colorspace = space
            yield frame

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VideoFile, "frames", frames)
        yield from source


def test_an_error_names_no_password():
    with pytest.raises(InputError) as caught:
        open_source("http://me:hidden@127.0.0.1:1/a.mp4?token=hidden")
    assert str(caught.value).startswith("http://***@127.0.0.1:1/a.mp4?token=***: ")


def test_the_whole_video_is_known_of_from_a_part(clip: Clips):
    times = [500 + 40 * index for index in range(20)]
    path = clip("in.mkv", time_base=Fraction(1, 1000), times=times, frames=20, audio="aac")
    for start, end in ((None, None), (0.7, 0.9)):
        with open_source(path, start, end) as source:
            assert (source.info.total, source.info.opening) == (20, Fraction(1, 2))


def test_a_length_that_another_container_was_copied_from_promises_nothing(clip: Clips, tmp_path: Path):
    """As when a part of a Matroska file was cut out, and the tag that tells the whole's length went along."""
    path = tmp_path / "part.nut"
    with av.open(str(clip("in.mkv"))) as whole, av.open(str(path), "w") as part:
        copy = part.add_stream_from_template(whole.streams.video[0], opaque=True)
        copy.metadata["DURATION"] = "00:01:00.000000000"
        for packet in whole.demux(video=0):
            if packet.size:
                packet.stream = copy
                part.mux(packet)
    assert _read(path)[2] == []
