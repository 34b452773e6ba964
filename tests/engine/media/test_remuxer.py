from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ptfan.engine.frame import Box
from ptfan.engine.media.cover import is_cover
from ptfan.engine.media.remuxer import Remuxer

Clips = Callable[..., Path]
BOX = Box(20, 11, 17, 14)
WORDS = [(0.1, 0.5, "hello"), (0.9, 1.7, "world")]
CHAPTERS = [(0.0, 1.0, "one"), (1.0, 2.0, "two")]
RICH: dict[str, Any] = {
    "frames": 50,
    "audio": "aac",
    "subtitles": WORDS,
    "chapters": CHAPTERS,
    "tags": {"title": "A walk", "artist": "Nobody"},
}


def _packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """Time and content of all packets of the streams of a kind."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in container.demux(*streams) if packet.size]


def _samples(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


def _chapters(path: Path) -> list[tuple[float, float, str]]:
    with av.open(str(path)) as container:
        return [
            (
                float(item["start"] * item["time_base"]),
                float(item["end"] * item["time_base"]),
                item["metadata"]["title"],
            )
            for item in container.chapters()
        ]


def _tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return {key.lower(): value for key, value in container.metadata.items()}


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_all_that_comes_along_is_copied(ending: str, clip: Clips, convert, tmp_path: Path):
    source = clip(f"in.{ending}", **RICH, attachment=b"font" * 100 if ending == "mkv" else None)
    output = tmp_path / f"out.{ending}"
    assert convert(source, output, box=BOX) == []
    for kind in ("audio", "subtitle"):
        # MP4 closes a subtitle by an empty one, and the muxer adds those anew.
        old, new = ([(time, data) for time, data in _packets(path, kind) if len(data) > 2] for path in (source, output))
        assert [data for _, data in old] == [data for _, data in new]
        assert all(abs(first - second) <= Fraction(1, 1000) for (first, _), (second, _) in zip(old, new, strict=True))
        assert old
    assert _chapters(output) == _chapters(source) == CHAPTERS
    assert {"title": "A walk", "artist": "Nobody"}.items() <= _tags(output).items()
    with av.open(str(output)) as container:
        assert [stream.language for stream in container.streams.subtitles] == ["eng"]
        attachments = [stream for stream in container.streams if stream.type == "attachment"]
        assert [(stream.name, stream.mimetype, stream.data) for stream in attachments] == (
            [("font.ttf", "application/x-truetype-font", b"font" * 100)] if ending == "mkv" else []
        )


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_late_picture_stays_late(ending: str, clip: Clips, convert, decoded, tmp_path: Path):
    times = [500 + 40 * index for index in range(20)]
    source = clip(f"in.{ending}", time_base=Fraction(1, 1000), times=times, frames=20, audio="aac")
    output = tmp_path / f"out.{ending}"
    convert(source, output)
    assert decoded(output)[0].time == decoded(source)[0].time == 0.5
    assert [time for time, _ in _packets(output, "audio")] == [time for time, _ in _packets(source, "audio")]


@pytest.mark.parametrize(("name", "other"), [("in.mp4", "out.mkv"), ("in.mkv", "out.mp4"), ("in.mp4", "out.avi")])
def test_from_one_container_to_another_pictures_keep_their_time(
    name: str, other: str, clip: Clips, convert, decoded, tmp_path: Path
):
    source, output = clip(name, frames=50, audio="aac"), tmp_path / other
    convert(source, output)
    old, new = ([round(frame.time, 3) for frame in decoded(path)] for path in (source, output))
    assert old == new
    heard = [(time, data) for time, data in _packets(source, "audio") if other == "out.mp4" or time >= 0]
    copied = _packets(output, "audio")
    assert [data for _, data in copied] == [data for _, data in heard]
    assert abs(copied[0][0] - heard[0][0]) < Fraction(1, 20)


@pytest.mark.parametrize("codec", ["aac", "libopus", "flac", "pcm_s16le", "mp2", "mp3", "ac3"])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "webm", "ts", "avi"])
def test_sound_is_copied_or_its_loss_is_named(codec: str, ending: str, clip: Clips, convert, tmp_path: Path):
    source, output = clip("in.mkv", frames=25, audio=codec), tmp_path / f"out.{ending}"
    warnings = convert(source, output)
    with av.open(str(output)) as container:
        kinds = [stream.type for stream in container.streams]
    if kinds == ["video"]:
        name = codec.removeprefix("lib")
        container_name = {"ts": "mpegts"}.get(ending, ending)
        assert warnings == [f"{output}: audio stream 1 ({name}) is dropped: {container_name} cannot hold it; .mkv can"]
        assert ending != "mkv"
        held = {("aac", "mp4"), ("libopus", "webm"), ("pcm_s16le", "mov"), ("mp2", "ts"), ("mp2", "mp4")}
        assert (codec, ending) not in held
    else:
        assert (kinds, warnings) == (["video", "audio"], [])
        old, new = ([data for _, data in _packets(path, "audio")] for path in (source, output))
        old = old[1:] if ending == "avi" else old  # AVI has no place for the run-up before 0
        assert b"".join(old) in b"".join(new) or (codec, ending) == ("aac", "ts")  # there each packet gets a header
        assert len(b"".join(new)) < 1.5 * len(b"".join(old)) + 2000


def test_the_last_sound_is_heard_though_its_packet_names_no_duration(clip: Clips, convert, tmp_path: Path):
    source, output = clip("in.mkv", frames=25, audio="alac"), tmp_path / "out.mp4"
    convert(source, output)
    assert _samples(output) == _samples(source)


def test_what_the_container_cannot_hold_is_named(clip: Clips, convert, tmp_path: Path):
    source = clip("in.mkv", **{**RICH, "tags": {"title": "A walk", "colour": "blue"}}, attachment=b"font")
    output = tmp_path / "out.mp4"
    assert convert(source, output) == [
        f"{output}: attachment stream 3 (font.ttf) is dropped: mp4 cannot hold it; .mkv can",
        f"{output}: subtitle stream 2 (subrip, eng) becomes mov_text, without placement: mp4 holds no other text",
        f"{output}: the tags COLOUR are dropped: mp4 cannot hold them",
    ]
    output = tmp_path / "out.avi"
    warnings = convert(source, output)
    assert f"{output}: 2 chapters are dropped: avi cannot hold them" in warnings
    assert f"{output}: subtitle stream 2 (subrip, eng) is dropped: avi cannot hold it; .mkv can" in warnings


def test_text_that_only_matroska_can_hold_is_told_of_though_it_is_converted_there(clip: Clips, convert, tmp_path: Path):
    output = tmp_path / "out.avi"
    warnings = convert(clip("in.mp4", subtitles=WORDS), output)
    assert f"{output}: subtitle stream 1 (mov_text, eng) is dropped: avi cannot hold it; .mkv can" in warnings


@pytest.mark.parametrize(
    ("name", "other"),
    [("in.mkv", "out.mp4"), ("in.mkv", "out.mov"), ("in.mkv", "out.m4v"), ("in.mp4", "out.mkv")],
)
def test_text_is_converted_to_what_the_container_holds(name: str, other: str, clip: Clips, convert, tmp_path: Path):
    source, output = clip(name, frames=50, subtitles=WORDS), tmp_path / other
    kind = "subrip" if output.suffix == ".mkv" else "mov_text"
    (warning,) = convert(source, output)
    assert f"becomes {kind}, without placement" in warning
    with av.open(str(output)) as container:
        (text,) = container.streams.subtitles
        assert (text.codec_context.codec.canonical_name, text.language) == (kind, "eng")
        said = [packet for packet in container.demux(text) if packet.size > 2]
    times = [(float(packet.pts * packet.time_base), float(packet.duration * packet.time_base)) for packet in said]
    assert times == [pytest.approx((start, end - start), abs=0.002) for start, end, _ in WORDS]
    assert [bytes(packet)[-5:].decode() for packet in said] == ["hello", "world"]


def test_converted_text_is_cut_as_well(clip: Clips, convert, tmp_path: Path):
    convert(clip("in.mkv", frames=50, subtitles=WORDS), tmp_path / "out.mp4", start=0.4, end=1.4)
    said = [(float(time), data[2:].decode()) for time, data in _packets(tmp_path / "out.mp4", "subtitle")]
    assert [(time, words) for time, words in said if words] == [(0, "hello"), (pytest.approx(0.5), "world")]


def test_a_second_picture_track_is_not_passed_on(tmp_path: Path, clip: Clips, convert):
    source, first = tmp_path / "two.mkv", clip()
    with av.open(str(first)) as container, av.open(str(source), "w") as target:
        copies = [target.add_stream_from_template(container.streams.video[0], opaque=True) for _ in range(2)]
        for packet in container.demux(video=0):
            if packet.size:
                for copy in copies:
                    packet.stream = copy
                    target.mux(packet)
    output = tmp_path / "out.mkv"
    dropped = f"{output}: video stream 1 (h264) is dropped: only video stream 0 (h264) is inpainted"
    assert convert(source, output) == [dropped]
    with av.open(str(output)) as container:
        assert len(container.streams) == 1


def test_what_the_pictures_are_for_is_copied(tmp_path: Path, clip: Clips, convert):
    meant = av.stream.Disposition.default | av.stream.Disposition.original
    with av.open(str(clip())) as container, av.open(str(tmp_path / "meant.mkv"), "w") as target:
        copy = target.add_stream_from_template(container.streams.video[0], opaque=True)
        copy.disposition = meant
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = copy
                target.mux(packet)
    convert(tmp_path / "meant.mkv", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].disposition == meant


def _with_cover(tmp_path: Path, clip: Clips, codec: str) -> tuple[Path, bytes]:
    """Write a film behind its cover; return it, and what is in the cover."""
    still = clip("still.mov", codec=codec, pixel_format="rgb24" if codec == "png" else "yuvj420p", frames=1)
    source, first = tmp_path / "cover.mp4", clip()
    with av.open(str(first)) as container, av.open(str(still)) as other, av.open(str(source), "w") as target:
        film = target.add_stream_from_template(container.streams.video[0], opaque=True)
        cover = target.add_stream_from_template(other.streams.video[0], opaque=True)
        cover.disposition = av.stream.Disposition.attached_pic
        for stream, packets in ((cover, other.demux(video=0)), (film, container.demux(video=0))):
            for packet in packets:
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    with av.open(str(still)) as container:
        return source, next(bytes(packet) for packet in container.demux(video=0))


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_a_cover_picture_is_copied(codec: str, tmp_path: Path, clip: Clips, convert):
    source, picture = _with_cover(tmp_path, clip, codec)
    for output in (tmp_path / "out.mp4", tmp_path / "out.mkv", tmp_path / "again.mp4"):
        assert convert(source, output) == []
        with av.open(str(output)) as container:
            assert [is_cover(stream) for stream in container.streams] == [False, True]
            assert [bytes(packet) for packet in container.demux(video=1) if packet.size] == [picture]
        source = output


@pytest.mark.parametrize(("ending", "name"), [("avi", "avi"), ("webm", "webm"), ("nut", "nut"), ("wmv", "asf")])
def test_a_cover_picture_does_not_become_a_film(ending: str, name: str, tmp_path: Path, clip: Clips, convert):
    source, _ = _with_cover(tmp_path, clip, "mjpeg")
    output = tmp_path / f"out.{ending}"
    loss = f"{output}: video stream 1 (mjpeg) is dropped: {name} cannot hold it; .mkv can"
    assert loss in convert(source, output)
    with av.open(str(output)) as container:
        assert len(container.streams) == 1


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_cut_cuts_everything_alike(ending: str, clip: Clips, convert, decoded, tmp_path: Path):
    source, output = clip(f"in.{ending}", **RICH), tmp_path / f"out.{ending}"
    assert convert(source, output, box=BOX, start=0.41, end=1.3) == []
    times = [frame.time for frame in decoded(output)]
    assert times == pytest.approx([0.04 * index for index in range(22)], abs=0.001)  # frames 11 to 32, from 0.44 s
    shift = Fraction(44, 100)
    old, new = _packets(source, "audio"), _packets(output, "audio")
    expected = [(time - shift, data) for time, data in old if shift <= time < Fraction(13, 10)]
    assert [data for _, data in new] == [data for _, data in expected]
    assert all(abs(first - second) < Fraction(2, 1000) for (first, _), (second, _) in zip(new, expected, strict=True))
    assert [title for *_, title in _chapters(output)] == ["one", "two"]
    assert [time for chapter in _chapters(output) for time in chapter[:2]] == pytest.approx(
        [0, 0.56, 0.56, 0.86], abs=0.002
    )
    words = [
        (float(time), data.decode(errors="replace")[-5:])
        for time, data in _packets(output, "subtitle")
        if len(data) > 2
    ]
    assert [text for _, text in words] == ["hello", "world"]
    assert [time for time, _ in words] == pytest.approx([0, 0.46], abs=0.002)


def test_a_broadcast_begins_at_0(clip: Clips, convert, decoded, tmp_path: Path):
    times = [90000 * 3600 + 3600 * index for index in range(25)]
    source = clip("in.ts", time_base=Fraction(1, 90000), times=times, frames=25, audio="aac", audio_from=Fraction(3600))
    old, gap = decoded(source), min(time for time, _ in _packets(source, "audio"))
    assert old[0].time > 3599
    convert(source, tmp_path / "out.mp4")
    new = decoded(tmp_path / "out.mp4")
    assert [round(frame.time - new[0].time, 4) for frame in new] == [
        round(frame.time - old[0].time, 4) for frame in old
    ]
    apart = float(min(time for time, _ in _packets(tmp_path / "out.mp4", "audio"))) - new[0].time
    assert apart == pytest.approx(float(gap) - old[0].time, abs=0.001)
    assert new[0].time < 0.1


def test_sound_that_ends_later_is_copied_to_its_end(tmp_path: Path, clip: Clips, convert):
    source = clip("in.mkv", frames=5, audio="libopus", audio_from=Fraction(-2))
    output = tmp_path / "out.mkv"
    convert(source, output)
    assert [data for _, data in _packets(output, "audio")] == [data for _, data in _packets(source, "audio")]


@pytest.mark.parametrize("codec", ["aac", "ac3", "eac3", "mp2", "mp3", "flac", "pcm_s16le"])
def test_from_avi_to_avi_sound_keeps_its_times(codec: str, clip: Clips, convert, tmp_path: Path):
    clip("in.mkv", frames=75, audio=codec)
    convert(tmp_path / "in.mkv", tmp_path / "one.avi")
    assert convert(tmp_path / "one.avi", tmp_path / "two.avi") == []
    before, once, again = (_packets(tmp_path / name, "audio") for name in ("in.mkv", "one.avi", "two.avi"))
    assert again == once
    assert abs(once[-1][0] - before[-1][0]) < Fraction(1, 20)


def test_sound_that_avi_cannot_keep_in_time_is_named(clip: Clips, convert, tmp_path: Path):
    source, output = clip("in.mkv", frames=75, audio="mp3", audio_from=Fraction(3, 2)), tmp_path / "out.avi"
    (warning,) = convert(source, output)
    late = "audio stream 1 (mp3) ends 1.48 s too early: avi keeps no times of sound; .mkv does"
    assert warning == f"{output}: {late}"


def test_silence_keeps_uncompressed_sound_in_time_in_avi(clip: Clips, convert, tmp_path: Path):
    source, output = clip("in.mkv", frames=75, audio="pcm_s16le", audio_from=Fraction(3, 2)), tmp_path / "out.avi"
    assert convert(source, output) == []
    old, new = _packets(source, "audio"), _packets(output, "audio")
    assert abs(new[-1][0] - old[-1][0]) < Fraction(1, 20)
    assert b"".join(data for _, data in new) == bytes(72000 * 4) + b"".join(data for _, data in old)


def test_sound_that_the_container_refuses_late_costs_no_picture(tmp_path: Path, clip: Clips, convert, decoded):
    source = clip("in.mkv", frames=10, audio="flac", audio_from=Fraction(3, 2))
    output = tmp_path / "out.avi"
    (warning,) = convert(source, output)
    refused = "audio stream 1 (flac) is dropped from here on: avi refuses it (Invalid argument)"
    assert warning == f"{output}: {refused}"
    assert len(decoded(output)) == 10


def test_a_closed_container_is_asked_for_nothing(tmp_path: Path, clip: Clips, convert, monkeypatch: pytest.MonkeyPatch):
    """Some releases of PyAV answer by an error what others still know of a closed container's streams."""
    losses = Remuxer.losses

    def told(self: Remuxer, found: Any) -> list[str]:
        for copy in self._copies.values():
            copy.target = None
        return losses(self, found)

    monkeypatch.setattr(Remuxer, "losses", told)
    assert convert(clip("in.mkv", frames=50, audio="pcm_s16le"), tmp_path / "out.avi") == []


def _left_channel(path: Path) -> np.ndarray:
    """The left channel, from the file's beginning."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0, ::2] for frame in container.decode(audio=0)])


@pytest.mark.parametrize(
    ("late_pictures", "late_sound", "lasting"),
    [(0, Fraction(0), 25), (0, Fraction(1, 2), 25), (10, Fraction(0), 35), (0, Fraction(0), 50)],
)
def test_mxf_gets_sound_of_the_length_of_its_pictures(
    late_pictures: int, late_sound: Fraction, lasting: int, clip: Clips, convert, decoded, tmp_path: Path
):
    times = [late_pictures + index for index in range(lasting - late_pictures)]
    source = clip(
        "in.mkv", times=times, time_base=Fraction(1, 25), frames=len(times), audio="pcm_s16le", audio_from=late_sound
    )
    output = tmp_path / "out.mxf"
    assert convert(source, output) == []
    assert len(decoded(output)) == lasting
    old, new = _left_channel(source), _left_channel(output)
    begin = int(late_sound * 48000)
    assert len(new) == lasting * 1920
    heard = min(len(old), len(new) - begin)
    assert not new[:begin].any()
    assert (new[begin : begin + heard] == old[:heard]).all()
    assert not new[begin + heard :].any()


def test_sound_that_goes_on_behind_the_pictures_of_mxf_is_named(clip: Clips, convert, tmp_path: Path):
    source, output = clip("in.mkv", frames=3, audio="pcm_s16le"), tmp_path / "out.mxf"
    (warning,) = convert(source, output)
    assert warning.endswith("s too early: mxf holds no more sound than pictures; .mkv does")


@pytest.mark.parametrize("ending", ["mov", "mp4", "mkv", "mxf"])
def test_what_mxf_tells_of_itself_is_left_out_and_its_time_code_is_kept(
    ending: str, clip: Clips, convert, tmp_path: Path
):
    source = clip("in.mxf", codec="mpeg2video", tags={"timecode": "10:00:00:00"})
    output = tmp_path / f"out.{ending}"
    assert convert(source, output) == []
    assert "uid" not in _tags(output) or ending == "mxf"
    with av.open(str(output)) as container:
        told = [container.metadata, *(stream.metadata for stream in container.streams)]
        assert "10:00:00:00" in [tags.get("timecode") or tags.get("TIMECODE") for tags in told]


@pytest.mark.parametrize(("source", "output"), [("in.mov", "out.mov"), ("in.mov", "out.mkv"), ("in.mxf", "out.mxf")])
def test_the_time_code_is_that_of_the_first_picture_of_a_part(
    source: str, output: str, clip: Clips, convert, tmp_path: Path
):
    whole = clip(source, codec="mpeg2video", tags={"timecode": "09:59:59:23"})
    convert(whole, tmp_path / output, start=0.2, overwrite=True)
    with av.open(str(tmp_path / output)) as container:
        told = [container.metadata, *(stream.metadata for stream in container.streams)]
        assert "10:00:00:03" in [tags.get("timecode") or tags.get("TIMECODE") for tags in told]
