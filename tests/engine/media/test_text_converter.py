from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from ptfan.engine.media.text_converter import TextConverter, text_codec

SRT = """1
00:00:00,100 --> 00:00:00,500
two <i>words</i>
and more
"""
VTT = """WEBVTT

00:00.100 --> 00:00.500 line:10%
two <i>words</i>
and more
"""
ASS = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Alignment
Style: Default,Arial,16,&Hffffff,0,0,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.10,0:00:00.50,Default,,0,0,0,,{\pos(9,9)}two {\i1}words{\i0}\Nand more
"""


@pytest.mark.parametrize(("ending", "content"), [("srt", SRT), ("vtt", VTT), ("ass", ASS)])
def test_text_keeps_its_time_and_its_lines_and_loses_its_place(ending: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / f"in.{ending}"
    path.write_text(content)
    with av.open(str(path)) as old, av.open(str(tmp_path / "out.mp4"), "w") as target:
        source: Any = old.streams.subtitles[0]
        assert text_codec(source, "mp4") == "mov_text"
        converter = TextConverter(target, source)
        target.start_encoding()
        made: Any = converter.convert(next(old.demux(source)))
    assert (made.pts * made.time_base, made.duration * made.time_base) == (Fraction(1, 10), Fraction(2, 5))
    assert bytes(made)[2:].startswith(b"two words\nand more")


def test_an_empty_packet_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.srt").write_text(SRT)
    with av.open(str(tmp_path / "in.srt")) as old, av.open(str(tmp_path / "out.mp4"), "w") as target:
        source: Any = old.streams.subtitles[0]
        converter = TextConverter(target, source)
        target.start_encoding()
        assert converter.convert(av.Packet(b"")) is None


def test_what_is_no_text_or_goes_nowhere_is_not_converted(tmp_path: Path, clip: Callable[..., Path]) -> None:
    (tmp_path / "in.srt").write_text(SRT)
    with av.open(str(tmp_path / "in.srt")) as container:
        assert text_codec(container.streams[0], "avi") is None
    with av.open(str(clip(audio="aac"))) as container:
        assert [text_codec(stream, "mp4") for stream in container.streams] == [None, None]
