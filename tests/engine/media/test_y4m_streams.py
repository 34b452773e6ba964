"""Y4M in and out: the source, the sink, and both against FFmpeg's own."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

import av
import numpy as np
import pytest

from ptfan.engine.errors import InputError, OutputError, OutputExistsError
from ptfan.engine.frame import Box
from ptfan.engine.media import open_sink, open_source
from ptfan.engine.media.orientation import Orientation
from ptfan.engine.media.span import Span
from ptfan.engine.media.y4m import frame_to_bytes
from ptfan.engine.media.y4m_source import Y4mSource

Clips = Callable[..., Path]
BOX = Box(20, 11, 17, 14)
HEAD = b"YUV4MPEG2 W8 H6 F25:1 Ip A1:1 C420jpeg\n"


def _source(data: bytes, warnings: list[str] | None = None) -> Y4mSource:
    return Y4mSource(io.BytesIO(data), "standard input", Span(), ([] if warnings is None else warnings).append)


@pytest.mark.parametrize(
    "name",
    ["yuv420p", "yuv422p", "yuv444p", "gray", "yuv420p10le", "yuv422p10le", "yuv444p12le", "yuv411p", "yuva444p"],
)
@pytest.mark.parametrize("size", [(64, 48), (61, 47)])
def test_samples_are_exact_and_ffmpeg_reads_the_same(
    name: str, size: tuple[int, int], clip: Clips, convert, decoded, tmp_path: Path
):
    alpha = 50 if name.startswith("yuva") else None
    source = clip("in.mkv", codec="ffv1", pixel_format=name, width=size[0], height=size[1], alpha=alpha)
    output = tmp_path / "out.y4m"
    assert convert(source, output) == []
    frames = decoded(source)
    raw = [b"".join(frame_to_bytes(frame)) for frame in frames]
    line, rest = output.read_bytes().split(b"\n", 1)
    assert rest == b"".join(b"FRAME\n" + data for data in raw)
    assert line.startswith(f"YUV4MPEG2 W{size[0]} H{size[1]} F25:1 Ip A0:0 C".encode())
    with output.open("rb") as stream:
        again = [b"".join(frame_to_bytes(sample.native)) for sample in Y4mSource(stream, "x", Span(), print)]
    assert again == raw
    if name != "yuva444p":
        assert [b"".join(frame_to_bytes(frame)) for frame in decoded(output)] == raw


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "gray"])
def test_pictures_are_converted_as_pyav_does(name: str, clip: Clips, convert, decoded, tmp_path: Path):
    convert(clip("in.mkv", codec="ffv1", pixel_format=name), tmp_path / "out.y4m")
    layout = "rgb48le" if "10" in name else "rgb24"
    with (tmp_path / "out.y4m").open("rb") as stream:
        for sample, frame in zip(Y4mSource(stream, "x", Span(), print), decoded(tmp_path / "in.mkv"), strict=True):
            assert np.array_equal(sample.image, frame.to_ndarray(format=layout))


@pytest.mark.parametrize("chroma", ["420", "420jpeg", "420mpeg2", "420paldv"])
def test_a_pipe_and_a_file_give_the_same_pictures(chroma: str, tmp_path: Path):
    samples = np.random.default_rng(0).integers(16, 236, 61 * 47 + 2 * 31 * 24, np.uint8).tobytes()
    data = f"YUV4MPEG2 W61 H47 F25:1 Ip A1:1 C{chroma}\nFRAME\n".encode() + samples
    (tmp_path / "in.y4m").write_bytes(data)
    with open_source(tmp_path / "in.y4m") as file:
        for first, second in zip(file, _source(data), strict=True):
            assert np.array_equal(first.image, second.image)


PIPE = """
import sys
from ptfan.engine.errors import PtfanError
from ptfan.engine.frame import Frame
from ptfan.engine.media import open_sink, open_source
import numpy as np
try:
    with open_source(sys.argv[1]) as source, open_sink(sys.argv[2], source) as sink:
        for sample in source:
            sink.write(sample, Frame(sample.image, np.zeros(sample.image.shape[:2], bool)))
except PtfanError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


def _pipe(*arguments: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", PIPE, *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, timeout=120)


def test_from_standard_input_to_standard_output(clip: Clips, convert, tmp_path: Path):
    convert(
        clip("in.mkv", codec="ffv1", width=61, rate=Fraction(30000, 1001), aspect=Fraction(4, 3)), tmp_path / "out.y4m"
    )
    data = (tmp_path / "out.y4m").read_bytes()
    done = _pipe("-", "-", data=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data
    assert data.startswith(b"YUV4MPEG2 W61 H48 F")


def test_a_reader_that_goes_away_gives_one_line(clip: Clips):
    source = clip("in.mkv", codec="ffv1", frames=60, width=160, height=128)
    command = [sys.executable, "-c", PIPE, str(source), "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(20)
        process.stdout.close()
        message = process.stderr.read().decode()
    assert process.returncode == 2
    assert message.startswith("standard output: whoever read it went away (broken pipe) after ")
    assert message.count("\n") == 1


def test_an_empty_standard_input_gives_one_line():
    done = _pipe("-", "-")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"standard input: is empty; expected Y4M\n"


def test_memory_is_bounded_while_it_streams():
    held = []

    class Endless(io.RawIOBase):
        """A stream that never ends, and counts what was taken from it."""

        taken = 0

        def readline(self, size: int | None = -1) -> bytes:
            self.taken += 1
            return HEAD if self.taken == 1 else b"FRAME\n"

        def read(self, size: int = -1) -> bytes:
            return bytes(size)

    stream = Endless()
    source: Iterator = iter(Y4mSource(cast("BinaryIO", stream), "x", Span(), print))
    for _ in range(50):
        held.append(next(source).index)
        assert stream.taken <= len(held) + 2
    assert held == list(range(50))


def test_a_stream_cut_short_gives_what_it_has():
    warnings: list[str] = []
    picture = b"FRAME\n" + bytes(72)
    assert len(list(_source(HEAD + picture * 3 + picture[:40], warnings))) == 3
    assert warnings == ["standard input: is cut short: 3 whole pictures could be read"]


def test_a_stream_without_a_picture_is_refused():
    for data in (HEAD, HEAD + b"FRAME\n" + bytes(10)):
        with pytest.raises(InputError, match="holds no picture"):
            list(_source(data))


def test_a_stream_that_goes_wrong_is_refused_with_the_place():
    with pytest.raises(InputError, match=r"expected the word FRAME after picture 1, got b'GARBAGE"):
        list(_source(HEAD + b"FRAME\n" + bytes(72) + b"GARBAGE" * 20))


def test_a_stream_is_read_once():
    source = _source(HEAD + b"FRAME\n" + bytes(72))
    assert len(list(source)) == 1
    with pytest.raises(InputError, match="only once"):
        list(source)


def test_a_span_of_a_stream():
    data = HEAD + (b"FRAME Ip\n" + bytes(72)) * 10
    source = Y4mSource(io.BytesIO(data), "x", Span.of(0.1, 0.25), print)
    assert [sample.index for sample in source] == [3, 4, 5, 6]
    assert source.info.frames is None
    for start, end, words in ((5, None, "at 5 s or later"), (0.11, 0.12, "at 0.11 s or later, before 0.12 s")):
        with pytest.raises(InputError, match=f"holds no picture {words}"):
            list(Y4mSource(io.BytesIO(data), "x", Span.of(start, end), print))


@pytest.mark.parametrize("letter", ["t", "b"])
def test_interlaced_streams_are_deinterlaced(letter: str):
    warnings: list[str] = []
    random = np.random.default_rng(0)
    rows = np.repeat(random.integers(0, 256, (12, 1), dtype=np.uint8), 16, 1).tobytes()
    data = f"YUV4MPEG2 W16 H12 F25:1 I{letter} Cmono\n".encode() + (b"FRAME\n" + rows) * 6
    samples = list(_source(data, warnings))
    assert warnings == ["standard input: is interlaced; its frames are deinterlaced"]
    live = [b"".join(frame_to_bytes(frame)) for frame in _source(data).frames()]
    assert live == [b"".join(frame_to_bytes(sample.native)) for sample in samples]
    assert [sample.pts for sample in samples] == list(range(6))
    assert any((sample.image[..., 0] != np.frombuffer(rows, np.uint8).reshape(12, 16)).any() for sample in samples)


def test_a_turned_source_is_turned_in_fact(clip: Clips, convert, tmp_path: Path):
    orientation = Orientation(True, True, False)
    source = clip(matrix=orientation.matrix, aspect=Fraction(4, 3))
    convert(source, tmp_path / "out.y4m")
    with open_source(source) as first, open_source(tmp_path / "out.y4m") as second:
        assert (second.info.width, second.info.height, second.info.sample_aspect) == (48, 64, Fraction(3, 4))
        for old, new in zip(first, second, strict=True):
            assert np.array_equal(old.image, new.image)


@pytest.mark.parametrize(
    ("settings", "words", "name"),
    [
        ({"codec": "ffv1", "pixel_format": "bgr0"}, "RGB is converted to yuv444p: Y4M has no RGB", "yuv444p"),
        ({"codec": "ffv1", "pixel_format": "yuva420p", "alpha": 9}, "the alpha channel is dropped", "yuv420p"),
        ({"codec": "mjpeg", "pixel_format": "yuvj422p"}, None, "yuv422p"),
    ],
)
def test_formats_that_y4m_lacks(
    settings: dict, words: str | None, name: str, clip: Clips, convert, decoded, tmp_path: Path
):
    source = clip("in.mov" if settings["codec"] == "mjpeg" else "in.mkv", **settings)
    warnings = convert(source, tmp_path / "out.y4m")
    assert len(warnings) == (words is not None)
    assert words is None or words in warnings[0]
    for old, new in zip(decoded(source), decoded(tmp_path / "out.y4m"), strict=True):
        assert new.format.name.replace("yuvj", "yuv") == name
        if words is None:
            assert b"".join(frame_to_bytes(old)) == b"".join(frame_to_bytes(new))
        else:
            difference = old.to_ndarray(format="rgb24").astype(int) - new.to_ndarray(format="rgb24")
            assert np.abs(difference).mean() < 3


def test_full_range_is_said(clip: Clips, convert, tmp_path: Path):
    convert(clip("in.mkv", colour=(1, 2, 1, 1)), tmp_path / "out.y4m")
    assert b"XCOLORRANGE=FULL" in (tmp_path / "out.y4m").read_bytes()[:100]


def test_a_variable_rate_is_named(clip: Clips, convert, tmp_path: Path):
    source = clip("in.mkv", time_base=Fraction(1, 1000), times=[0, 40, 80, 400, 440], frames=5)
    (warning,) = convert(source, tmp_path / "out.y4m")
    assert "time stamps of a variable rate are dropped" in warning


def test_the_hole_is_filled_in_the_planes(clip: Clips, convert, decoded, tmp_path: Path):
    source = clip("in.mkv", codec="ffv1")
    convert(source, tmp_path / "out.y4m", box=BOX)
    for old, new in zip(decoded(source), decoded(tmp_path / "out.y4m"), strict=True):
        first, second = (frame.to_ndarray()[:48] for frame in (old, new))
        outside = np.ones((48, 64), bool)
        outside[BOX.slices] = False
        assert np.array_equal(first[outside], second[outside])
        assert (first[BOX.slices] != second[BOX.slices]).mean() > 0.9


def test_a_file_appears_when_it_is_done(clip: Clips, fill, convert, tmp_path: Path):
    output = tmp_path / "out.y4m"
    output.write_bytes(b"older")
    with pytest.raises(OutputExistsError):
        convert(clip(), output)
    with open_source(tmp_path / "clip.mp4") as source:
        sink = open_sink(output, source, overwrite=True)
        for sample in source:
            sink.write(sample, fill(sample, None))
        assert sink.abort(keep_partial=True) == tmp_path / "out.partial.y4m"
    assert output.read_bytes() == b"older"
    with av.open(str(tmp_path / "out.partial.y4m")) as container:
        assert len(list(container.decode(video=0))) == 10


def test_a_terminal_is_refused(clip: Clips, monkeypatch: pytest.MonkeyPatch):
    with open_source(clip()) as source:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        with pytest.raises(OutputError, match="standard output: is a terminal"):
            open_sink("-", source)
