"""A live stream at its own speed: memory and latency over time.

    python benchmarks/live_memory.py [--minutes 10] [--size 432x240] [--rate 25] [-o FILE]

A moving pattern goes in as Y4M, `ptfan stream` fills a hole of a quarter of its sides, and the result is thrown away.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import psutil

from beside.process import exit_status
from ptfan.engine.commands.values import parse_pixels
from ptfan.engine.machine import describe_machine


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and print a line a minute; a user's mistake is told in one line."""
    return exit_status(lambda: _run(_options(arguments)))


def _run(options: argparse.Namespace) -> None:
    width, height = parse_pixels(options.size)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        box = f"{width // 4},{height // 4},{width // 4},{height // 4}"
        command = [sys.executable, "-m", "ptfan.engine.cli", "stream", "-", "--realtime", "--box", box, "--to", "-"]
        process = subprocess.Popen(
            [*command, "--json", str(report), "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        threading.Thread(target=_throw_away, args=(process.stdout,), daemon=True).start()
        memory = _feed(process.stdin, psutil.Process(process.pid), width, height, options)
        process.stdin.close()
        process.wait()
        figures = json.loads(report.read_text(encoding="utf-8"))["figures"]
    found = {"machine": describe_machine(), "size": options.size, "rate": options.rate, "memory_mb": memory, **figures}
    print(json.dumps(found, indent=1))
    if options.output:
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", default="432x240")
    parser.add_argument("--rate", type=int, default=25)
    parser.add_argument("--output", "-o", type=Path, help="a JSON file")
    return parser.parse_args(arguments)


def _feed(
    pipe: IO[bytes], process: psutil.Process, width: int, height: int, options: argparse.Namespace
) -> list[float]:
    """Send frames at their own speed; return the memory after every half minute, MB."""
    pipe.write(f"YUV4MPEG2 W{width} H{height} F{options.rate}:1 Ip A1:1 C420jpeg\n".encode())
    y, x = np.mgrid[:height, :width]
    chroma, memory, begin = bytes([128]) * (width * height // 2), [], time.monotonic()
    for number in range(round(options.minutes * 60 * options.rate)):
        luma = (128 + 60 * np.sin((x + 2 * number) / 17) * np.cos(y / 23)).astype(np.uint8)
        pipe.write(b"FRAME\n" + luma.tobytes() + chroma)
        pipe.flush()
        if number % (30 * options.rate) == 30 * options.rate - 1:
            memory.append(round(process.memory_info().rss / 1e6, 1))
            print(f"{(number + 1) / options.rate:.0f} s: {memory[-1]} MB", file=sys.stderr, flush=True)
        time.sleep(max(0.0, begin + (number + 1) / options.rate - time.monotonic()))
    return memory


def _throw_away(pipe: IO[bytes]) -> None:
    while pipe.read(1 << 16):
        pass


if __name__ == "__main__":
    raise SystemExit(main())
