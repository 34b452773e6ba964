"""A live source through pipes: every frame must be out before the next one comes in."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

WIDTH, HEIGHT, FRAMES = 96, 64, 8
FRAME_BYTES = WIDTH * HEIGHT * 3 // 2
SECONDS = 60.0
"""What may pass before the test gives up: a slow machine is no failure."""


class Pipe:
    """The command between two pipes, fed and read by hand."""

    def __init__(self, model: str) -> None:
        command = [sys.executable, "-m", "ptfan.engine.cli", "inpaint", "-", "--box", "30,20,24,16", "--model", model]
        self.process = subprocess.Popen(
            [*command, "-o", "-", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def read(self, count: int) -> bytes:
        assert self.process.stdout is not None
        data, end = b"", time.monotonic() + SECONDS
        while len(data) < count:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"after {len(data)} of {count} bytes nothing came"
            part = os.read(self.process.stdout.fileno(), count - len(data))
            assert part, "the command ended"
            data += part
        return data

    def line(self) -> bytes:
        data = b""
        while not data.endswith(b"\n"):
            data += self.read(1)
        return data


def test_the_live_model_answers_each_frame_before_the_next_comes() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH + FRAMES), np.uint8)
    pipe = Pipe("s-live")
    pipe.send(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C420jpeg\n".encode())
    for t in range(FRAMES):
        luma = noise[:, t : t + WIDTH]
        pipe.send(b"FRAME\n" + luma.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2))
        if t == 0:
            assert pipe.line().startswith(b"YUV4MPEG2")
        assert pipe.line().startswith(b"FRAME")
        answer = np.frombuffer(pipe.read(FRAME_BYTES), np.uint8)[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)
        changed = answer != luma
        assert changed[20:36, 30:54].any()
        changed[20:36, 30:54] = False
        assert not changed.any()
    assert pipe.process.stdin is not None
    pipe.process.stdin.close()
    assert pipe.process.wait(SECONDS) == 0
    assert pipe.process.stdout is not None
    pipe.process.stdout.close()
