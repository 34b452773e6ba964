"""Files that strangers made: they are read, and nothing that they name is."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from ptfan.engine.errors import MaskError, UnreadableError
from ptfan.engine.masks.source import open_mask
from ptfan.engine.media import open_source
from ptfan.engine.media.input_container import open_container

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
CONCAT = "ffconcat version 1.0\nfile {}\n"
Clips = Callable[..., Path]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Somebody on this machine whom nobody is to call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server


def assert_not_called(server: socket.socket) -> None:
    with pytest.raises(TimeoutError):
        server.accept()


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4"])
def test_a_playlist_calls_nobody(name: str, listening: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(HLS.format(f"http://127.0.0.1:{listening.getsockname()[1]}/part.ts"))
    with path.open("rb") as file:
        for location in (str(path), file, io.BytesIO(path.read_bytes())):
            with pytest.raises(av.FFmpegError):
                open_container(location, timeout=1)
    assert_not_called(listening)


@pytest.mark.parametrize(("name", "text"), [("list.m3u8", HLS), ("list.mp4", CONCAT), ("list.png", CONCAT)])
def test_no_other_file_is_read_as_a_video_or_a_mask(name: str, text: str, clip: Clips, tmp_path: Path) -> None:
    part, path = clip("part.ts"), tmp_path / name
    path.write_text(text.format(part.name))
    with pytest.raises(UnreadableError, match="is a playlist or the like, which names other files"):
        open_source(path)
    with pytest.raises(MaskError, match="it is a playlist or the like, which names other files"):
        open_mask(path)


def test_a_session_s_description_opens_no_port(tmp_path: Path) -> None:
    path = tmp_path / "mask.mp4"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1] & ~1
    path.write_text(SDP.format(port))
    with path.open("rb") as file, pytest.raises(av.ArgumentError):
        open_container(file, timeout=1)


def test_the_name_of_an_image_is_no_pattern_for_others(tmp_path: Path) -> None:
    for name, grey in (("a%d.tga", 77), ("a0.tga", 99)):
        head = b"\x00\x00\x03" + bytes(9) + bytes([16, 0, 16, 0, 8, 0])
        (tmp_path / name).write_bytes(head + bytes([grey]) * 256)
    (picture,) = open_source(tmp_path / "a%d.tga")
    np.testing.assert_array_equal(picture.image, 77)
