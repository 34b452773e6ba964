"""`ptfan stream` on loopback, with real senders, receivers and containers in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.client import BadStatusLine
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import psutil
import pytest

from ptfan.engine.errors import InterruptedRunError
from ptfan.engine.frame import Box
from ptfan.engine.live.settings import LiveSettings
from ptfan.engine.live.stream import stream
from tests.cli.live_sender import HEIGHT, WIDTH, number_in, picture, write

pytest.importorskip("onnxruntime")

BOX = ("--box", "30,10,24,16")
HOLE = (slice(10, 26), slice(30, 54))
SENDER = Path(__file__).with_name("live_sender.py")
SECONDS = 90.0
"""What may pass before a test gives up: a slow machine is no failure."""
FRAME_BYTES = WIDTH * HEIGHT * 3 // 2


class Run:
    """Processes of a test; what is left of them is ended with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def stream(self, *arguments: str, **pipes: Any) -> subprocess.Popen[bytes]:
        """Start `ptfan stream`; what it says goes to `said`."""
        command = [sys.executable, "-m", "ptfan.engine.cli", "stream", *arguments]
        with self.said.open("wb") as said:
            return self._started(command, stderr=said, **pipes)

    def send(self, url: str, first: int, count: int, rate: int = 10, kind: str = "mpegts") -> subprocess.Popen[bytes]:
        return self._started([sys.executable, str(SENDER), url, str(first), str(count), str(rate), kind])

    def _started(self, command: list[str], **pipes: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, cwd=self.folder, bufsize=0, **pipes)
        self._processes.append(process)
        return process

    @property
    def said(self) -> Path:
        return self.folder / "said.txt"

    def wait_for(self, condition: Callable[[dict[str, Any]], bool], page: int) -> dict[str, Any]:
        """Wait until the figures on the page are as wanted."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{page}/stats.json", timeout=SECONDS) as answer:
                    found: dict[str, Any] = json.loads(answer.read())
                if condition(found):
                    return found
            except (urllib.error.URLError, BadStatusLine):
                # Nobody listens yet. Whoever calls a port of those that are given out may then be given that very one,
                # and reads what they asked.
                found = {}
            assert time.monotonic() < end, f"{found}: {self.said.read_text()}"
            time.sleep(0.05)

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return found

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.end()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read(path: Path | str) -> tuple[list[float], list[int]]:
    """Return times and numbers of the frames of a video."""
    with av.open(str(path)) as container:
        frames = [(float(frame.time or 0), frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    return [moment for moment, _ in frames], [number_in(grey) for _, grey in frames]


def fresh(found: dict[str, Any]) -> int:
    """Return how many frames have been written that are no repetitions."""
    return int(found["written"]) - int(found["repeated"])


def increases(values: list[Any]) -> bool:
    return all(before < after for before, after in pairwise(values))


@pytest.mark.parametrize("while_lost", ["last", "slate"])
def test_a_sender_that_is_killed_is_found_again_and_the_output_goes_on(run: Run, while_lost: str) -> None:
    url = f"udp://127.0.0.1:{free_port()}"
    sender = run.send(f"{url}?pkt_size=1316", 0, 1000)
    page = free_port()
    process = run.stream(
        url, *BOX, "--to", "out.mkv", "--json", "report.json", "--patience", "0.7", "--while-lost", while_lost,
        "--page", str(page),
    )  # fmt: skip
    run.wait_for(lambda found: found["written"] >= 5, page)
    sender.kill()
    run.wait_for(lambda found: found["repeated"] >= 3, page)
    run.send(f"{url}?pkt_size=1316", 512, 500)
    then = run.wait_for(lambda found: found["reconnects"] >= 1, page)
    # A busy machine may go on repeating for a while.
    run.wait_for(lambda found: fresh(found) >= fresh(then) + 8, page)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0
    times, numbers = read(run.folder / "out.mkv")
    found = run.report()
    assert increases(times)
    assert found["figures"]["written"] == len(times)
    assert found["figures"]["reconnects"] >= 1  # a new sender may be slow to begin
    assert found["figures"]["repeated"] >= 2
    first = [number for number in numbers if 0 < number < 512]
    second = [number for number in numbers if number >= 512]
    assert increases(second)
    assert len(second) >= 3
    repeated = [number for number in numbers if number not in second]
    if while_lost == "last":
        assert repeated[-2:] == [first[-1]] * 2, "the last frame stays to be seen"
    else:
        assert repeated[-2:] == [0, 0], "a slate has no number"
        assert increases(first)


def test_over_tcp_nothing_is_lost_and_the_end_is_an_error_when_nobody_comes_again(run: Run) -> None:
    port = free_port()
    run.send(f"tcp://127.0.0.1:{port}?listen=1", 1, 12, 20)
    process = run.stream(
        f"tcp://127.0.0.1:{port}", *BOX, "--lossless", "--to", "out.mkv", "--json", "report.json", "--reconnect", "4",
        "--while-lost", "nothing",
    )  # fmt: skip
    assert process.wait(SECONDS) == 2
    times, numbers = read(run.folder / "out.mkv")
    assert numbers == list(range(1, 13))
    assert increases(times)
    assert run.report()["figures"]["dropped"] == 0
    last = run.said.read_text().splitlines()[-1]
    assert last.startswith("ptfan: error: tcp://127.0.0.1:")
    assert last.endswith("given up, what was written is whole")


def test_a_connection_that_falls_silent_is_given_up_for_a_new_one(run: Run) -> None:
    """TCP that stays open but brings nothing: only patience tells."""
    parts = []
    for first in (1, 512):
        write(str(run.folder / "part.ts"), first, 10, 10, live=False)
        parts.append((run.folder / "part.ts").read_bytes())
    page = free_port()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        process = run.stream(
            f"tcp://127.0.0.1:{server.getsockname()[1]}", *BOX, "--lossless", "--to", "out.mkv", "--patience", "1",
            "--while-lost", "nothing", "--page", str(page), "--json", "report.json",
        )  # fmt: skip
        with server.accept()[0] as silent:
            silent.sendall(parts[0])
            with server.accept()[0] as again:
                again.sendall(parts[1])
                # How many each has given when it breaks off is up to the decoder; the second one's are the last.
                run.wait_for(lambda found: found["reconnects"] == 1 and found["written"] >= 16, page)
                process.send_signal(signal.SIGINT)
                assert process.wait(SECONDS) == 0
    times, numbers = read(run.folder / "out.mkv")
    assert increases(times)
    assert increases(numbers)
    assert {1, 512} <= set(numbers)
    assert run.report()["figures"]["reconnects"] == 1


def test_lost_packets_spoil_frames_and_end_nothing(run: Run) -> None:
    inner, outer = free_port(), free_port()
    over = threading.Event()

    def relay() -> None:
        """Drop every ninth datagram."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
            source.bind(("127.0.0.1", outer))
            source.settimeout(0.1)
            count = 0
            while not over.is_set():
                try:
                    data = source.recv(65536)
                except TimeoutError:
                    continue
                count += 1
                if count % 9:
                    source.sendto(data, ("127.0.0.1", inner))

    thread = threading.Thread(target=relay)
    thread.start()
    try:
        run.send(f"udp://127.0.0.1:{outer}?pkt_size=376", 0, 1000, 20)
        page = free_port()
        process = run.stream(
            f"udp://127.0.0.1:{inner}", *BOX, "--to", "out.mkv", "--json", "report.json", "--page", str(page)
        )
        run.wait_for(lambda found: found["written"] >= 30, page)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    finally:
        over.set()
        thread.join()
    times, _ = read(run.folder / "out.mkv")
    assert len(times) > 20
    assert increases(times)
    assert run.report()["figures"]["reconnects"] == 0


class Pipe:
    """`ptfan stream` between two pipes of Y4M, fed and read by hand."""

    def __init__(self, run: Run, *arguments: str) -> None:
        self.process = run.stream(
            "-", "--to", "-", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        self._in.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C420jpeg\n".encode())
        self._begun = False

    def send(self, number: int) -> None:
        self._in.write(b"FRAME\n" + picture(number).tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2))

    def receive(self) -> np.ndarray[Any, Any]:
        if not self._begun:
            assert self._line().startswith(b"YUV4MPEG2")
            self._begun = True
        assert self._line() == b"FRAME\n"
        data = b""
        while len(data) < FRAME_BYTES:
            part = os.read(self._out.fileno(), FRAME_BYTES - len(data))
            assert part, "the command ended"
            data += part
        return np.frombuffer(data, np.uint8)[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)

    def end(self) -> int:
        self._in.close()
        return self.process.wait(SECONDS)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            letter = os.read(self._out.fileno(), 1)
            assert letter, "the command ended"
            line += letter
        return line


def test_the_frame_that_comes_out_is_the_one_that_went_in(run: Run) -> None:
    """The clock in the picture: no delay at all, and nothing outside of the hole has changed."""
    pipe = Pipe(run, *BOX, "--json", "report.json")
    for number in range(1, 9):
        pipe.send(number)
        answer = pipe.receive()
        assert number_in(answer) == number
        changed = answer != picture(number)
        assert changed[HOLE].any()
        changed[HOLE] = False
        assert not changed.any()
    assert pipe.end() == 0
    found = run.report()["figures"]
    assert (found["captured"], found["written"], found["dropped"]) == (8, 8, 0)
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p99"] <= found["latency_ms"]["max"]


def test_whoever_goes_away_ends_the_run_in_one_line_and_the_report_is_there(run: Run) -> None:
    pipe = Pipe(run, *BOX, "--json", "report.json")
    pipe.send(1)
    pipe.receive()
    assert pipe.process.stdout is not None
    pipe.process.stdout.close()
    with contextlib.suppress(BrokenPipeError):
        for number in range(2, 500):
            pipe.send(number)
    assert pipe.process.wait(SECONDS) == 2
    last = run.said.read_text().splitlines()[-1]
    assert last.startswith("ptfan: error: standard output: whoever read it went away")
    assert run.report()["broken"] in last
    assert run.report()["figures"]["written"] >= 1


def test_a_mask_is_replaced_while_the_stream_runs(run: Run) -> None:
    def write(columns: slice) -> None:
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[10:26, columns] = 255
        cv2.imwrite(str(run.folder / "new.png"), mask)
        (run.folder / "new.png").replace(run.folder / "mask.png")

    def hole(number: int) -> tuple[int, int]:
        pipe.send(number)
        columns = (pipe.receive() != picture(number)).any(axis=0).nonzero()[0]
        return int(columns[0]), int(columns[-1])

    write(slice(8, 24))
    pipe = Pipe(run, "--mask", "mask.png")
    left, right = hole(1)
    assert 8 <= left <= right < 24
    write(slice(60, 80))
    left, right = hole(2)
    assert 60 <= left <= right < 80
    (run.folder / "mask.png").write_bytes(b"half a file")
    left, right = hole(3)
    assert 60 <= left <= right < 80
    assert pipe.end() == 0
    said = run.said.read_text()
    assert "has changed; the new one holds from frame 1 on" in said
    assert "the mask before stays" in said


def test_a_slow_sink_costs_frames_not_delay(run: Run, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "clip.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(1, 91):
            frame = av.VideoFrame.from_ndarray(picture(number), format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    process = run.stream(
        "clip.mkv", "--realtime", *BOX, "--to", "-", "--json", "report.json", stdout=subprocess.PIPE
    )  # fmt: skip
    assert process.stdout is not None
    while data := os.read(process.stdout.fileno(), FRAME_BYTES):
        time.sleep(0.15 * len(data) / FRAME_BYTES)
    assert process.wait(SECONDS) == 0
    found = run.report()["figures"]
    assert found["captured"] == 90
    assert found["dropped"] > 20
    assert found["written"] == 90 - found["dropped"]


@pytest.mark.parametrize(
    ("receiver", "options", "sink"),
    [
        ("udp://127.0.0.1:{}", {}, "udp://127.0.0.1:{}?pkt_size=1316"),
        ("tcp://127.0.0.1:{}?listen=1", {}, "tcp://127.0.0.1:{}"),
        ("rtmp://127.0.0.1:{}/live/key", {"listen": "1"}, "rtmp://127.0.0.1:{}/live/key"),
        ("rtsp://127.0.0.1:{}/live", {"rtsp_flags": "listen", "listen_timeout": "60"}, "rtsp://127.0.0.1:{}/live"),
    ],
)
def test_what_is_sent_arrives(run: Run, receiver: str, options: dict[str, str], sink: str) -> None:
    port = free_port()
    got: list[int] = []

    def receive() -> None:
        with (
            suppress(av.FFmpegError),  # RTMP's end is one
            av.open(receiver.format(port), options=options, timeout=SECONDS) as container,
        ):
            for frame in container.decode(video=0):
                got.append(number_in(frame.to_ndarray(format="gray")))
                if got[-1] >= 60 and receiver.startswith("udp"):
                    return  # which has no end

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    process = run.stream("-", *BOX, "--to", sink.format(port), stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C420jpeg\n".encode())
    for number in range(1, 90):
        process.stdin.write(b"FRAME\n" + picture(number).tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2))
        time.sleep(0.02)
    process.stdin.close()
    assert process.wait(SECONDS) == 0, run.said.read_text()
    thread.join(SECONDS)
    assert increases(got)
    assert len(got) > 5


def test_an_hls_folder_can_be_played(run: Run) -> None:
    process = run.stream("-", *BOX, "--to", "hls/live.m3u8", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C420jpeg\n".encode())
    for number in range(1, 21):
        process.stdin.write(b"FRAME\n" + picture(number).tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2))
    process.stdin.close()
    assert process.wait(SECONDS) == 0
    segments = sorted((run.folder / "hls").glob("*.ts"))
    assert segments
    assert (run.folder / "hls" / "live.m3u8").read_text().startswith("#EXTM3U")
    assert [number for path in segments for number in read(path)[1]] == list(range(1, 21))


@pytest.mark.parametrize(
    ("url", "kind", "options"),
    [
        ("rtmp://127.0.0.1:{}/live/key", "flv", ("listen=1", "timeout=60")),
        ("rtsp://127.0.0.1:{}/live", "rtsp", ("rtsp_flags=listen", "listen_timeout=60")),
    ],
)
def test_other_protocols_are_read(run: Run, url: str, kind: str, options: tuple[str, ...]) -> None:
    """ptfan takes the server's part, for which FFmpeg is enough; a sender of frames takes a camera's."""
    address, page = url.format(free_port()), free_port()
    given = [part for option in options for part in ("--input-option", option)]
    process = run.stream(address, *given, *BOX, "--patience", "30", "--to", "out.mkv", "--page", str(page))
    run.send(address, 1, 1000, 10, kind)
    run.wait_for(lambda found: found["written"] >= 10, page)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0, run.said.read_text()
    times, numbers = read(run.folder / "out.mkv")
    assert increases(times)
    assert increases(numbers)
    assert len(numbers) >= 10
    assert "key" not in run.said.read_text()


class Folder(SimpleHTTPRequestHandler):
    """Serves a folder's files."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_hls_is_read_and_what_has_an_end_ends(run: Run) -> None:
    playlist = run.folder / "live.m3u8"
    write(str(playlist), 1, 20, 10, "hls", live=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Folder, directory=str(run.folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/live.m3u8"
        process = run.stream(url, "--lossless", *BOX, "--to", "out.mkv")
        assert process.wait(SECONDS) == 0, run.said.read_text()
        server.shutdown()
    assert read(run.folder / "out.mkv")[1] == list(range(1, 21))


def test_frames_of_another_size_are_scaled_to_the_first_ones(run: Run) -> None:
    parts = []
    for first, scale in ((1, 1), (11, 2)):
        write(str(run.folder / "part.ts"), first, 10, 10, scale=scale, live=False)
        parts.append((run.folder / "part.ts").read_bytes())
    (run.folder / "clip.ts").write_bytes(b"".join(parts))
    process = run.stream("clip.ts", *BOX, "--to", "out.mkv")
    assert process.wait(SECONDS) == 0, run.said.read_text()
    times, numbers = read(run.folder / "out.mkv")
    assert increases(times)
    assert numbers == list(range(1, 21))
    assert run.said.read_text().count("frames are 192x128 now; they are scaled to 96x64") == 1


def test_one_can_stop_what_waits_for_its_source(run: Run) -> None:
    page = free_port()
    process = run.stream(
        f"udp://127.0.0.1:{free_port()}", *BOX, "--patience", "0.2", "--to", "out.mkv", "--page", str(page)
    )
    run.wait_for(lambda found: not found["connected"] and found["running"], page)
    end = time.monotonic() + SECONDS
    while "trying again" not in run.said.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 130
    assert run.said.read_text().splitlines()[-1].endswith("stopped before its first frame came")
    assert not (run.folder / "out.mkv").exists()


def test_a_server_that_never_answers_can_be_left(run: Run) -> None:
    """FFmpeg waits for the handshake, and holds Python up."""
    write(str(run.folder / "in.ts"), 1, 10, 25, live=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        process = run.stream("in.ts", *BOX, "--to", f"rtmp://127.0.0.1:{server.getsockname()[1]}/live/x")
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1, socket.MSG_WAITALL)  # the handshake has begun
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) == -signal.SIGINT


def test_memory_does_not_grow(run: Run) -> None:
    """A minute of 25 frames a second, as fast as it goes."""
    pipe = Pipe(run, *BOX)
    memory = []
    for number in range(1, 1501):
        pipe.send(number % 1000)
        pipe.receive()
        if number in (150, 800, 1500):
            memory.append(psutil.Process(pipe.process.pid).memory_info().rss)
    assert pipe.end() == 0
    assert max(memory[1:]) - memory[0] < 8 << 20


def test_raw_frames_on_standard_input(run: Run) -> None:
    process = run.stream(
        "-", "--raw", f"{WIDTH}x{HEIGHT}:gray@10", *BOX, "--to", "out.mkv", stdin=subprocess.PIPE
    )  # fmt: skip
    assert process.stdin is not None
    for number in range(1, 8):
        process.stdin.write(picture(number).tobytes())
    process.stdin.close()
    assert process.wait(SECONDS) == 0
    assert read(run.folder / "out.mkv")[1] == list(range(1, 8))


def test_paths_and_an_array_as_mask_will_do(tmp_path: Path) -> None:
    source, output = tmp_path / "clip.mkv", tmp_path / "out"
    with av.open(str(source), "w") as container:
        video = container.add_stream("ffv1", rate=10)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "gray"
        container.mux(video.encode(av.VideoFrame.from_ndarray(picture(0), format="gray")))
        container.mux(video.encode(None))
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[10:26, 30:54] = True
    report = stream(source, output, mask=hole)
    assert (report.input, report.output) == (str(source), str(output))
    found = report.to_dict()
    assert (found["model"]["spec"]["name"], len(found["model"]["sha256"])) == ("s-live", 64)
    assert (found["settings"]["mask"], found["settings"]["encoding"]["codec"]) == (f"array of {WIDTH}x{HEIGHT}", None)
    (written,) = output.glob("*.png")
    with av.open(str(written)) as image:
        changed = (next(image.decode(video=0)).to_ndarray(format="gray") != picture(0)) & ~hole
    assert not changed.any()


def test_what_the_callers_status_raises_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptfan.engine.live.stream.STATUS_SECONDS", 0.1)
    write(str(tmp_path / "clip.mkv"), 1, 600, 10, "matroska", live=False)
    mine, told, stop = RuntimeError("mine"), list[str](), threading.Event()

    def fail(line: str) -> None:
        if not line.startswith("0 frames"):
            raise mine

    live = LiveSettings(realtime=True)
    box = [Box(30, 10, 24, 16)]
    with pytest.raises(RuntimeError) as caught:
        stream(
            tmp_path / "clip.mkv", tmp_path / "out.mkv", boxes=box, live=live, status=fail, warn=told.append, stop=stop
        )
    assert caught.value is mine
    assert not stop.is_set(), "it may be that of other runs, too"
    assert not (tmp_path / "out.mkv").exists()
    (line,) = told
    assert line.endswith(f"frames are kept as {tmp_path / 'out.partial.mkv'}")


def test_a_run_that_is_stopped_before_its_first_frame_says_so(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError, match="stopped before its first frame came"):
        stream(f"udp://127.0.0.1:{free_port()}", tmp_path / "out.mkv", boxes=[Box(30, 10, 24, 16)], stop=stop)


def test_sound_and_subtitles_that_stay_behind_are_named_once(tmp_path: Path) -> None:
    source = tmp_path / "clip.mkv"
    told: list[str] = []
    with av.open(str(source), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        container.add_stream("flac", rate=8000)
        container.add_mux_stream("subrip").metadata["language"] = "eng"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(picture(number), format="gray")
            container.mux(video.encode(frame.reformat(format="yuv420p")))
        container.mux(video.encode(None))
    stream(str(source), str(tmp_path / "out"), boxes=[Box(30, 10, 24, 16)], warn=told.append)
    assert told == [
        f"{source}: audio stream 1 (flac), subtitle stream 2 (subrip, eng) will not go on: "
        "a live output has pictures alone"
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("srt://h:1?passphrase=secret", *BOX, "--to", "a.mkv"), "h:1?passphrase=***: this FFmpeg"),
        (("missing.mp4", *BOX, "--to", "a.mkv"), "missing.mp4: no such file"),
        (("/dev/video99", *BOX, "--to", "a.mkv"), "/dev/video99: no such device"),
        (("a.mp4", *BOX, "--to", "a.mp4", "--overwrite"), "a.mp4: is the input itself"),
        (("-", "--mask", "m", "--to", "m", "--overwrite"), "m: is the mask itself"),
        (("-", *BOX, "--to", "a.mkv", "--json", "a.mkv", "--overwrite"), "itself; give the report another name"),
        (("-", *BOX), "nothing to do with the pictures: give --to, or --page"),
        (("-", "--to", "a.mkv"), "nothing to replace: give a mask (--mask FILE), a box (--box"),
        (("-", *BOX, "--page", "x"), "page 'x': expected PORT or HOST:PORT"),
        (("-", "--raw", "1x1", *BOX, "--to", "a.mkv"), "raw '1x1': expected WxH:FORMAT@RATE"),
        (("udp://me:secret@127.0.0.1:9", *BOX, "--to", "a.mkv", "--reconnect", "0", "--patience", "0.2"), "***@127"),
        (("-", *BOX, "--to", "a.mkv", "--while-lost", "x"), "while lost is 'x'"),
        (("-", *BOX, "--to", "a.mkv", "--quality", "99"), "quality is 99, expected 0 (lossless) to 51 (worst)"),
    ],
)
def test_mistakes_end_in_one_line(
    ptfan: Callable[..., Any], arguments: tuple[str, ...], error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        line = ptfan("stream", *arguments).error
    assert error in line
    assert "secret" not in line
    assert not Path("a.mkv").exists()


def test_a_recording_is_kept_when_something_else_fails(run: Run) -> None:
    """The mask ends before the source does."""
    write(str(run.folder / "in.ts"), 1, 40, 25, live=False)
    with av.open(str(run.folder / "mask.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray"
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[10:26, 8:24] = 255
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(mask, format="gray")))
        container.mux(stream.encode(None))
    process = run.stream("in.ts", "--mask", "mask.mkv", "--to", "out.mkv")
    assert process.wait(SECONDS) == 2
    last = run.said.read_text().splitlines()[-1]
    assert "ends after 10 masks" in last
    assert "frames are kept as" in last
    assert len(read(run.folder / "out.partial.mkv")[0]) == 10
