from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ptfan.engine.interrupts import (
    EXIT_INTERRUPTED,
    let_handlers_through,
    signals_interrupt,
    signals_quit,
    stop_on_signals,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_sets_the_event(number: signal.Signals, capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(5)
    assert signal.getsignal(number) is before
    assert "stopping" in capfd.readouterr().err


def test_the_second_signal_quits_at_once() -> None:
    code = (
        "import os, signal, time\n"
        "from ptfan.engine.interrupts import stop_on_signals\n"
        "with stop_on_signals():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True, check=False)
    assert done.returncode == EXIT_INTERRUPTED


def test_a_terminal_that_closes_may_say_so_twice() -> None:
    with stop_on_signals() as stop:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
        assert stop.wait(5)


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.wait(0.1)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_where_python_is_held_up_the_first_signal_quits(number: signal.Signals) -> None:
    code = (
        "import os, sys, time\n"
        "from ptfan.engine.interrupts import signals_quit, stop_on_signals\n"
        "with stop_on_signals():\n"
        "    with signals_quit():\n"
        "        os.kill(os.getpid(), int(sys.argv[1]))\n"
        "        time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(int(number))], timeout=30, check=False)
    assert done.returncode == -number


def test_signals_quit_for_a_while_and_only_where_they_would_stop() -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals_quit():
        assert signal.getsignal(signal.SIGINT) is before
    with stop_on_signals() as stop:
        with signals_quit():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        elsewhere = threading.Thread(target=signals_quit().__enter__)  # which may change no handler
        elsewhere.start()
        elsewhere.join()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_signal_can_do_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with signals_interrupt(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals_interrupt():
        inside = signal.getsignal(signal.SIGTERM)
        elsewhere = threading.Thread(target=signals_interrupt().__enter__)
        elsewhere.start()
        elsewhere.join()
        assert signal.getsignal(signal.SIGTERM) is inside
    assert signal.getsignal(signal.SIGTERM) is before


class Refusal:
    """A handler that is no function."""

    def __call__(self, number: int, frame: object) -> None:
        self.refuse()

    def refuse(self) -> None:
        raise TimeoutError("of the handler")


@pytest.mark.parametrize("handler", [Refusal(), Refusal().__call__, lambda number, frame: Refusal().refuse()])
def test_what_a_handler_raises_is_let_through(handler: Any) -> None:
    def call(library: Callable[[], None]) -> None:
        try:
            library()
        except TimeoutError as error:
            let_handlers_through(error)

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(TimeoutError, match="of the handler"):
            call(lambda: signal.raise_signal(signal.SIGALRM))
        call(Refusal().refuse)
    finally:
        signal.signal(signal.SIGALRM, before)
