"""The program itself: its version, its plugins, what it does when something is missing, and how soon it is there."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer

from ptfan.engine import cli
from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.errors import InputError
from ptfan.engine.versions import ptfan_version

HEAVY = ("av", "cv2", "numpy", "onnx", "onnxruntime", "torch")


def needs_torch(app: typer.Typer) -> None:
    """A plugin whose library is missing, as it is where torch is not installed."""

    @app.command("train")
    def train() -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    @app.command("crash")
    def crash() -> None:
        raise RuntimeError("a bug")

    @app.command("end")
    def end() -> None:
        raise EOFError("End of file: 'a.mkv'")

    @app.command("crowd")
    def crowd(kind: str) -> None:
        if kind == "picture":
            cv2.copyMakeBorder(np.zeros((1, 1), np.uint8), 0, 1 << 30, 0, 1 << 30, cv2.BORDER_REPLICATE)
        raise {"memory": MemoryError, "thread": BlockingIOError}[kind]("no more")

    @app.command("call")
    def call() -> None:
        try:
            raise OSError("no way to rtsp://me:hidden@camera/live")
        except OSError as error:
            raise InputError("rtsp://me:hidden@camera/live: lost") from error


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install that plugin, and no other."""

    class Installed(EntryPoint):
        def load(self) -> Any:
            return needs_torch

    monkeypatch.setattr(cli, "entry_points", lambda group: [Installed("training", "x:y", group)])


def test_the_version(ptfan: Callable[..., Any]) -> None:
    result = ptfan("--version")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("ptfan ")


def test_the_package_is_found_before_a_folder_of_its_name_and_is_a_program(tmp_path: Path) -> None:
    """A checkout beside a script is called ptfan more often than not."""
    (tmp_path / "ptfan" / "engine").mkdir(parents=True)
    for code in (["-c", "import ptfan; print('ptfan', ptfan.__version__)"], ["-m", "ptfan", "--version"]):
        done = subprocess.run(
            [sys.executable, *code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout == f"ptfan {ptfan_version()}\n"


@pytest.mark.usefixtures("plugin")
def test_a_command_whose_library_is_missing_is_listed_and_says_what_brings_it(ptfan: Callable[..., Any]) -> None:
    assert "train" in ptfan("--help").out
    assert ptfan("train").error == (
        "ptfan: error: ptfan train needs torch, which is not installed: pip install 'ptfan[train]'"
    )


@pytest.mark.usefixtures("plugin")
def test_a_bug_is_not_hidden(ptfan: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        ptfan("crash")


@pytest.mark.usefixtures("plugin")
def test_a_file_that_ends_too_soon_is_no_interrupt(ptfan: Callable[..., Any]) -> None:
    assert ptfan("end").error == "ptfan: error: End of file: 'a.mkv'"


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("kind", ["memory", "thread"])
def test_a_machine_that_is_too_small_is_no_bug(kind: str, ptfan: Callable[..., Any]) -> None:
    told = ptfan("crowd", kind).error
    assert told == "ptfan: error: this takes more memory, or more threads, than there is here: no more"


@pytest.mark.usefixtures("plugin")
def test_pictures_too_large_for_the_machine_are_no_bug(ptfan: Callable[..., Any]) -> None:
    assert "this takes more memory, or more threads, than there is here: OpenCV" in ptfan("crowd", "picture").error


@pytest.mark.usefixtures("plugin")
def test_a_traceback_tells_no_password(ptfan: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTFAN_DEBUG", "1")
    told = ptfan("call").err
    assert "no way to rtsp://***@camera/live" in told
    assert "Traceback" in told
    assert "hidden" not in told


def test_nothing_heavy_is_imported_before_a_command_runs() -> None:
    """The libraries take a second to import; the help must not."""
    code = (
        "import sys; from ptfan.engine.cli import main; main(['inpaint', '--help'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"
    assert "--mask" in done.stdout


def test_what_the_system_refuses_is_told_by_its_name(tmp_path: Path) -> None:
    name = "a" * 300 + ".mp4"
    command = [sys.executable, "-m", "ptfan", "inpaint", str(DEMO_CLIP), "--box", "4,4,20,20", "-o", name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"ptfan: error: {name}: File name too long"


@pytest.mark.parametrize(("redirected", "status", "told"), [
    (">&-", 0, ""),
    ("2>&- >/dev/null", 0, ""),
    (">/dev/full", 2, "ptfan: error: standard output: cannot be written: the disk is full\n"),
])  # fmt: skip
def test_what_a_closed_output_misses_is_not_told_and_a_full_disk_is(redirected: str, status: int, told: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m ptfan --version {redirected}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, told)


def test_warnings_do_not_go_into_pictures_where_standard_error_is_closed(tmp_path: Path) -> None:
    asked = f"inpaint {shlex.quote(str(DEMO_CLIP))} --box 600,200,90,20 --end 0.2 --model s-live -o -"
    command = f"{shlex.quote(sys.executable)} -m ptfan {asked} 2>&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith(b"YUV4MPEG2 W640 H272 ")
    assert len(done.stdout) > 5 * 640 * 272 * 3 // 2


CLOSED = "standard output: is closed; send it to a program or a file"
FULL = "standard output: cannot be written: the disk is full"
FILL = "inpaint clip.mp4 --box 4,4,20,20 --end 0.1 -o -"


@pytest.mark.parametrize(("command", "status", "said"), [
    ("--help | :", 0, ""),
    ("preview clip.mp4 -o - | :", 2, "standard output: cannot be written: broken pipe"),
    ("preview clip.mp4 -o - >&-", 2, CLOSED),
    ("preview clip.mp4 -o - >/dev/full", 2, FULL),
    (f"{FILL} >&-", 2, CLOSED),
    (f"{FILL} >/dev/full", 2, FULL),
])  # fmt: skip
def test_an_output_that_nothing_can_be_written_to(command: str, status: int, said: str, tmp_path: Path) -> None:
    """What is said is one line, and a reader that has seen enough of a text is none of it."""
    (tmp_path / "clip.mp4").symlink_to(DEMO_CLIP)
    script = f"set -o pipefail; {shlex.quote(sys.executable)} -m ptfan {command}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (status, f"ptfan: error: {said}\n" if said else "")


def test_ctrl_c_before_it_is_there_ends_it_without_a_word() -> None:
    """Imports take a moment; Python would show where it was."""
    code = (
        "import os, signal, sys\n"
        "class Slow:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'ptfan.engine.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "from ptfan.__main__ import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
