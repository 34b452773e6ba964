from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ptfan.engine import media
from ptfan.engine.errors import InputError, InputNotFoundError
from ptfan.engine.media import open_sink, open_source

Clips = Callable[..., Path]


def test_the_api_is_small():
    assert media.__all__ == ["Encoding", "Sample", "Sink", "Source", "StreamInfo", "open_sink", "open_source"]


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputNotFoundError) as caught:
        open_source(tmp_path / "no.mp4")
    assert str(caught.value) == f"{tmp_path / 'no.mp4'}: no such file or folder"
    assert isinstance(caught.value, FileNotFoundError)


def test_a_rate_is_for_folders_alone(clip: Clips, tmp_path: Path):
    for name in (str(clip()), "-", "http://127.0.0.1:9/a.mp4"):
        with pytest.raises(InputError, match=f"{name}: rate 30 is for folders of images"):
            open_source(name, rate=30)
    with pytest.raises(InputNotFoundError):
        open_source(tmp_path / "no.mp4", rate=30)


def test_a_pipe_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="give - for Y4M"):
        open_source(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["out.txt", "out.png", "out.mp3"])
def test_other_endings_are_refused(name: str, clip: Clips, tmp_path: Path):
    with open_source(clip()) as source, pytest.raises(InputError, match=r"is no video's ending; expected \.mp4, \.mkv"):
        open_sink(tmp_path / name, source)


def test_options_without_an_encoder_are_named(clip: Clips, convert, tmp_path: Path):
    (warning,) = convert(clip(), tmp_path / "out", quality=3)
    assert "codec, quality and preset are not used" in warning


def test_warnings_go_to_the_log_by_default(clip: Clips, caplog: pytest.LogCaptureFixture):
    path = clip("in.mkv", codec="ffv1", field_order="tff")
    with caplog.at_level(logging.WARNING):
        open_source(path)
    assert caplog.messages == [f"{path}: is interlaced; its frames are deinterlaced"]


def test_names_may_be_strings_or_paths_of_any_letters(clip: Clips, convert, decoded, tmp_path: Path):
    source = clip("Größe 1 % $x'.mp4")
    convert(str(source), str(tmp_path / "ü b.mkv"))
    convert(source, tmp_path / "日本")
    assert len(decoded(tmp_path / "ü b.mkv")) == len(list((tmp_path / "日本").iterdir())) == 10


def test_a_colon_is_no_protocol(clip: Clips, convert, decoded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clip("plain.mp4").rename(tmp_path / "12:30.mp4")
    monkeypatch.chdir(tmp_path)
    assert convert("12:30.mp4", "12:31.mkv") == []
    assert len(decoded(tmp_path / "12:31.mkv")) == 10
