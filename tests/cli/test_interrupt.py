"""A run that is stopped: exit status 130, what is done can be played, an older output stays."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FRAMES = 300
WIDTH, HEIGHT = 64, 48


@pytest.mark.parametrize(("number", "output"), [(signal.SIGINT, "out.mkv"), (signal.SIGTERM, "out")])
def test_what_is_done_is_kept(number: int, output: str, model: Path, folder: Path, images: Callable[..., Any]) -> None:
    older = folder / output if "." in output else folder / output / "000000.png"
    older.parent.mkdir(exist_ok=True)
    older.write_bytes(b"older")
    command = [sys.executable, "-m", "ptfan.engine.cli", "inpaint", "-", "--box", "20,14,16,12", "-o", output]
    command += ["--overwrite", "--model", str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        # More than pipe and queues can hold: once it is all written, most of it has been through the network.
        process.stdin.write(b"YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C444\n")
        for index in range(FRAMES):
            process.stdin.write(b"FRAME\n" + np.full(3 * WIDTH * HEIGHT, index % 200 + 20, np.uint8).tobytes())
        process.stdin.flush()
        process.send_signal(number)  # the pipe stays open and silent
        status, said = process.wait(60), process.stderr.read().decode()
    assert status == 130, said
    errors = [line for line in said.splitlines() if line.startswith("ptfan: error: ")]
    assert len(errors) == 1
    assert "Traceback" not in said
    assert older.read_bytes() == b"older"
    partial = folder / output.replace("out", "out.partial")
    assert partial.name in errors[0]
    kept = images(partial)
    assert FRAMES // 2 < len(kept) <= FRAMES
    assert f"first {len(kept)} frames" in errors[0]
    assert sorted(path.name for path in folder.iterdir()) == sorted([output, partial.name])


def test_a_terminal_that_is_closed_loses_nothing(model: Path, folder: Path, images: Callable[..., Any]) -> None:
    """The line is dead from then on: whoever writes to it gets an error."""
    command = [sys.executable, "-m", "ptfan.engine.cli", "inpaint", "-", "--box", "20,14,16,12", "-o", "out.mkv"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*command, "--model", str(model)], stdin=subprocess.PIPE, stdout=theirs, stderr=theirs, cwd=folder,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(2, termios.TIOCSCTTY, 0) and None,
    ) as process:  # fmt: skip
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(b"YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C444\n")
        for index in range(FRAMES):
            process.stdin.write(b"FRAME\n" + np.full(3 * WIDTH * HEIGHT, index % 200 + 20, np.uint8).tobytes())
        process.stdin.flush()
        os.close(ours)
        assert process.wait(60) == 130
    assert [path.name for path in folder.iterdir()] == ["out.partial.mkv"]
    assert FRAMES // 2 < len(images(folder / "out.partial.mkv")) <= FRAMES


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_keeps_nothing_tidies_up(number: int, model: Path, tmp_path: Path) -> None:
    """It makes a video in a temporary folder; that of this test never ends."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "ptfan.engine.cli", "bench", "--model", str(model), "--size", "32x24"]
    command += ["--rounds", "1", "--repeat", "100000", "--quiet"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stderr is not None
        while not list(temporary.rglob("*.mp4")) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)
        status, said = process.wait(60), process.stderr.read().decode()
    assert status == 130, said
    assert "Traceback" not in said
    assert list(temporary.iterdir()) == []
