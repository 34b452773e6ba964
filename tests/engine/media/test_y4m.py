from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.media.y4m import Y4M_FORMATS, Y4mHeader, frame_from_bytes, frame_to_bytes


@pytest.mark.parametrize(
    ("line", "header"),
    [
        (
            b"YUV4MPEG2 W64 H48 F30000:1001 Ip A1:1 C420jpeg",
            Y4mHeader(64, 48, Fraction(30000, 1001), Fraction(1), "p", "420jpeg"),
        ),
        (b"YUV4MPEG2 W5 H3", Y4mHeader(5, 3, None, None, "p", "420jpeg")),
        (
            b"YUV4MPEG2 H3 W5 F25:1 It A0:0 C422p10 XYSCSS=422P10 XCOLORRANGE=FULL",
            Y4mHeader(5, 3, Fraction(25), None, "t", "422p10", True),
        ),
        (
            b"YUV4MPEG2 W5 H3 F0:0 A64:45 Cmono XCOLORRANGE=LIMITED",
            Y4mHeader(5, 3, None, Fraction(64, 45), "p", "mono", False),
        ),
    ],
)
def test_first_lines(line: bytes, header: Y4mHeader):
    assert Y4mHeader.parse(line, "x") == header
    assert Y4mHeader.parse(header.line().rstrip(), "x") == header


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"RIFF....AVI LIST", "begins with b'RIFF....AVI LIST', expected Y4M"),
        (b"YUV4MPEG2 W0 H3", "a size of 0x3"),
        (b"YUV4MPEG2 Wx H3", "cannot be used"),
        (b"YUV4MPEG2 W4 H3 C400weird", "chroma format '400weird' is not known"),
        (b"YUV4MPEG2 W4 H3 F25", "cannot be used"),
        (b"YUV4MPEG2 W999999 H999999", "a size of 999999x999999; expected 1 to 65535 a side and 250 million pixels"),
        (b"YUV4MPEG2 W65000 H65000", "a size of 65000x65000; expected 1 to 65535 a side and 250 million pixels"),
        (b"YUV4MPEG2 W4 H3 C\xff", "cannot be used"),
    ],
)
def test_lines_that_are_none(line: bytes, words: str):
    with pytest.raises(InputError) as caught:
        Y4mHeader.parse(line, "standard input")
    assert str(caught.value).startswith("standard input: ")
    assert words in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(Y4M_FORMATS), st.integers(1, 40), st.integers(1, 30), st.randoms(use_true_random=False))
def test_pictures_go_out_as_they_came_in(name: str, width: int, height: int, random):
    header = Y4mHeader(width, height, chroma=Y4mHeader.chroma_of(name), full_range=True)
    assert header.pixel_format == name
    data = random.randbytes(header.frame_bytes)
    frame = frame_from_bytes(data, header)
    assert (frame.format.name, frame.width, frame.height, frame.color_range) == (name, width, height, 2)
    assert b"".join(frame_to_bytes(frame)) == data


@pytest.mark.parametrize(
    ("name", "count"), [("yuv420p", 1.5), ("yuv422p", 2), ("yuv444p", 3), ("gray", 1), ("yuv420p10le", 3)]
)
def test_bytes_of_a_picture(name: str, count: float):
    assert Y4mHeader(8, 6, chroma=Y4mHeader.chroma_of(name)).frame_bytes == 48 * count


def test_the_site_of_the_chroma_is_said():
    assert Y4mHeader.chroma_of("yuv420p", "mpeg2") == "420mpeg2"
    assert Y4mHeader.chroma_of("yuv420p") == "420jpeg"


def test_frames_are_what_ffmpeg_makes_of_them():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv444p")
    again = frame_from_bytes(b"".join(frame_to_bytes(frame)), Y4mHeader(8, 6, chroma="444"))
    assert np.array_equal(frame.to_ndarray(), again.to_ndarray())


@pytest.mark.parametrize("rate", ["4294967296:1", "1:4294967296"])
def test_a_rate_that_nothing_can_count_in_is_refused(rate: str):
    with pytest.raises(InputError, match="4294967296"):
        Y4mHeader.parse(f"YUV4MPEG2 W8 H8 F{rate}\n".encode(), "x")
