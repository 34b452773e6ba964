from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, UnreadableError
from ptfan.engine.live.feed import FeedOptions, open_feed
from ptfan.engine.media import open_source
from ptfan.engine.media.video_file import VideoFile

Clips = Callable[..., Path]


def decoded(frames: Iterable[av.VideoFrame]) -> list[tuple[int, NDArray[np.uint8]]]:
    return [(frame.pts or 0, np.asarray(frame.to_ndarray(format="gray"), np.uint8)) for frame in frames]


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("mpeg2video", {"bf": "2"}),
        ("mpeg2video", {"bf": "0"}),
        ("mpeg4", {"bf": "2"}),
        ("libx264", {"bf": "3"}),
        ("libx264", {"tune": "zerolatency"}),
    ],
)
def test_a_live_stream_gives_the_same_frames_in_the_same_order(
    clip: Clips, codec: str, options: dict[str, str]
) -> None:
    """Also where frames are coded in another order than they are shown in."""
    path = str(clip("a.ts", codec=codec, options=options, frames=25))
    expected, got = decoded(VideoFile(path).frames()), decoded(VideoFile(path, live=True).frames())
    assert len(got) == 25
    assert all(before < after for (before, _), (after, _) in pairwise(got))
    for (moment, picture), (expected_moment, expected_picture) in zip(got, expected, strict=True):
        assert moment == expected_moment
        np.testing.assert_array_equal(picture, expected_picture)


def test_a_playlist_is_read_live_only(clip: Clips) -> None:
    """In a file that somebody hands over, it could name any other file."""
    part = clip("part.ts")
    path = part.with_name("a.m3u8")
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{part.name}\n#EXT-X-ENDLIST\n")
    assert len(decoded(VideoFile(str(path), live=True).frames())) == 10
    with pytest.raises(UnreadableError, match="is a playlist or the like"):
        VideoFile(str(path))


class Server(BaseHTTPRequestHandler):
    """Gives the files of a folder, from the byte that is asked for or always from the first."""

    folder: Path
    ranges = False

    def do_GET(self) -> None:
        content = (self.folder / self.path[1:]).read_bytes()
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if self.ranges and asked:
            first, whole = int(asked[1]), len(content)
            content = content[first:]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):  # who has seen enough hangs up
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the test's folder."""
    monkeypatch.setattr(Server, "folder", tmp_path, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


LARGE = {"frames": 300, "width": 320, "height": 240, "options": {"qp": "0"}}
"""More than FFmpeg keeps in memory."""


def test_a_file_that_its_server_does_not_let_be_searched_is_to_be_downloaded(
    server: str, clip: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip("end.mp4", **LARGE)
    with pytest.raises(InputError, match=r"index lies at the end, and its server lets nobody .*; download it first$"):
        open_source(f"{server}/end.mp4")
    with pytest.raises(UnreadableError, match="download it first"):  # which a live source does not try again
        open_feed(f"{server}/end.mp4", FeedOptions(), pytest.fail)
    monkeypatch.setattr(Server, "ranges", True)
    with open_source(f"{server}/end.mp4") as source:
        assert source.info.frames == 300


def test_a_file_that_needs_no_search_is_read_and_a_damaged_one_is_called_that(server: str, clip: Clips) -> None:
    whole = clip("first.mp4", **LARGE, container_options={"movflags": "faststart"})
    with open_source(f"{server}/first.mp4") as source:
        assert source.info.frames == 300
    content = whole.read_bytes()
    whole.with_name("cut.mp4").write_bytes(content[: content.index(b"mdat") + 8])
    with pytest.raises(InputError, match=r"it is empty, damaged or cut short$"):
        open_source(f"{server}/cut.mp4")


def test_damage_by_whatever_name_a_decoder_calls_it_costs_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "in.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        noise = np.random.default_rng(0).integers(0, 255, (9, 48, 64, 3), np.uint8)
        for picture in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    warnings: list[str] = []
    with open_source(path, warn=warnings.append) as source:
        assert len(list(source)) == 8
    assert any("damaged" in line for line in warnings)


def _remuxed(target: Path, *sources: Path, defaults: Sequence[bool] | None = None) -> Path:
    """Put the pictures of several files into one, in this order."""
    with ExitStack() as opened:
        files = [opened.enter_context(av.open(str(source))) for source in sources]
        output = opened.enter_context(av.open(str(target), "w"))
        copies = [output.add_stream_from_template(file.streams.video[0], opaque=True) for file in files]
        for copy, default in zip(copies, defaults or (True,) * len(copies), strict=True):
            copy.disposition = av.stream.Disposition.default if default else av.stream.Disposition(0)
        for file, copy in zip(files, copies, strict=True):
            for packet in file.demux(video=0):
                if packet.size:
                    packet.stream = copy
                    output.mux(packet)
    return target


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.nut"])
def test_a_thumbnail_before_the_film_is_not_taken_for_it(name: str, clip: Clips, tmp_path: Path) -> None:
    """Though nothing marks it as a cover."""
    still = clip("still.mkv", codec="mjpeg", pixel_format="yuvj420p", frames=1)
    assert len(decoded(VideoFile(str(_remuxed(tmp_path / name, still, clip()))).frames())) == 10
    assert len(decoded(VideoFile(str(still)).frames())) == 1, "where there is no other, it is what is wanted"


def test_a_picture_of_any_codec_is_no_film_where_the_file_counts_frames(clip: Clips, tmp_path: Path) -> None:
    both = _remuxed(tmp_path / "out.mp4", clip("still.mp4", frames=1), clip())
    assert len(decoded(VideoFile(str(both)).frames())) == 10


def test_of_several_films_the_default_one_is_taken(clip: Clips, tmp_path: Path) -> None:
    films = clip("a.mkv", frames=4), clip("b.mkv", frames=5), clip("c.mkv", frames=6)
    for defaults, frames in (((0, 1, 1), 5), ((0, 0, 1), 6), ((0, 0, 0), 4), ((1, 1, 1), 4)):
        path = _remuxed(tmp_path / "out.mkv", *films, defaults=[bool(default) for default in defaults])
        assert len(decoded(VideoFile(str(path)).frames())) == frames
