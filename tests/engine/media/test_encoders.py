from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.media.encoders import DEFAULT_QUALITY, ENCODERS, Encoder, encoder_named

EXACT = [item for item in ENCODERS if item.lossless or item.name.startswith(("libx26", "libvpx-vp9", "libsvtav1"))]
CONTAINERS = {"libvpx": "webm", "qtrle": "mov", "png": "mov", "prores_ks": "mov", "apng": "apng", "huffyuv": "avi"}
CONTAINERS |= {"dnxhd": "mov"}


def _encoded(
    encoder: Encoder, quality: int | None, frames: list[av.VideoFrame], name: str
) -> tuple[list[av.VideoFrame], int]:
    memory = io.BytesIO()
    with av.open(memory, "w", format=CONTAINERS.get(encoder.name, "nut")) as container:
        stream = container.add_stream(encoder.name, rate=25, options=encoder.settings(quality, None))
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, name
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(io.BytesIO(memory.getvalue()), "r") as written:
        return list(written.decode(video=0)), len(memory.getvalue())


def _frames(name: str) -> list[av.VideoFrame]:
    y, x = np.mgrid[:120, :256]  # DNxHR takes none smaller
    pictures = [
        np.stack([(x * 3 + shift) % 200, (y * 4) % 220, (x + y) % 250], -1).astype(np.uint8) for shift in range(4)
    ]
    return [av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=name) for picture in pictures]


def _name(encoder: Encoder) -> str:
    offered = encoder.formats or [item.name for item in av.Codec(encoder.name, "w").video_formats or ()]
    return next(name for name in ("yuv420p", "yuv422p10le", *offered) if name in offered or not offered)


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda encoder: encoder.name)
def test_every_encoder_takes_its_default_options(encoder: Encoder):
    name = _name(encoder)
    frames, size = _encoded(encoder, None, _frames(name), name)
    assert len(frames) == 4
    assert size > 0
    difference = [
        np.abs(new.to_ndarray(format="rgb24").astype(int) - old.to_ndarray(format="rgb24")).mean()
        for old, new in zip(_frames(name), frames, strict=True)
    ]
    assert max(difference) < (12 if encoder.name.startswith(("mpeg", "dnxhd")) else 6)


@pytest.mark.parametrize("encoder", EXACT, ids=lambda encoder: encoder.name)
def test_lossless_means_every_sample(encoder: Encoder):
    name = _name(encoder)
    frames, _ = _encoded(encoder, 0, _frames(name), name)
    assert encoder.is_exact(0)
    for old, new in zip(_frames(name), frames, strict=True):
        assert np.array_equal(old.to_ndarray(format="rgb24"), new.reformat(format=name).to_ndarray(format="rgb24"))


@pytest.mark.parametrize("name", ["libx264", "libx265", "libvpx-vp9", "libsvtav1", "mpeg4", "mjpeg"])
def test_a_higher_number_makes_a_smaller_file(name: str):
    encoder = encoder_named(name)
    frames = _frames(_name(encoder))
    assert _encoded(encoder, 40, frames, _name(encoder))[1] < _encoded(encoder, 5, frames, _name(encoder))[1]


@pytest.mark.parametrize(
    ("short", "name"),
    [("h264", "libx264"), ("HEVC", "libx265"), ("av1", "libsvtav1"), ("prores", "prores_ks"), ("DNxHR", "dnxhd")],
)
def test_codecs_go_by_their_short_names(short: str, name: str):
    assert encoder_named(short).name == name


def test_unlisted_encoders_get_no_options():
    assert encoder_named("cinepak") == Encoder("cinepak", encoder_named("cinepak").options)
    assert encoder_named("cinepak").settings(30, "fast") == {}


@pytest.mark.parametrize("name", ["h264_nvenc", "hevc_nvenc", "av1_nvenc"])
def test_a_gpu_s_encoders_are_told_the_quality(name: str) -> None:
    encoder = encoder_named(name)
    assert encoder not in ENCODERS, "it is never taken unasked"
    assert encoder.settings(None, None) == {"rc": "vbr", "cq": str(DEFAULT_QUALITY), "b": "0", "preset": "p4"}
    assert encoder.settings(0, "p1") == {"tune": "lossless", "preset": "p1"}
    listed = {item.name for item in av.Codec(name, "w").video_formats or ()}
    assert set(encoder.formats) <= listed


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["h264_nvenc", "hevc_nvenc"])
def test_a_gpu_encodes(name: str) -> None:
    encoder = encoder_named(name)
    frames = _frames("yuv420p")
    try:
        sizes = [_encoded(encoder, quality, frames, "yuv420p")[1] for quality in (40, 5)]
    except av.FFmpegError as error:
        pytest.skip(f"needs a GPU that encodes: {error}")
    assert sizes[0] < sizes[1]
    for old, new in zip(frames, _encoded(encoder, 0, frames, "yuv420p")[0], strict=True):
        assert np.array_equal(old.to_ndarray(), new.to_ndarray())


def test_the_default_is_x264_veryfast():
    assert ENCODERS[0].settings(None, None) == {"crf": str(DEFAULT_QUALITY), "preset": "veryfast"}
    assert ENCODERS[0].settings(20, "slow") == {"crf": "20", "preset": "slow"}


def test_a_preset_that_x264_would_complain_of_is_refused_before() -> None:
    with pytest.raises(InputError, match=r"preset 'foo': libx264 has none of that name; expected ultrafast, .*"):
        encoder_named("h264").settings(16, "foo")
    assert encoder_named("h264").settings(16, "slow")["preset"] == "slow"
    assert encoder_named("av1").settings(16, "7")["preset"] == "7"
