"""What programs share that measure one thing in a process of their own and print it as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from ptfan.engine.bench.process import most_memory
from ptfan.engine.commands.messages import say_error
from ptfan.engine.errors import PtfanError

__all__ = ["answer", "exit_status", "timed"]


def timed(call: Callable[[], object], frames: int) -> dict[str, Any]:
    """Return what a call took that finishes so many frames: seconds, those of all cores together, and memory."""
    begin, began = time.perf_counter(), time.process_time()
    call()
    seconds, processor = time.perf_counter() - begin, time.process_time() - began
    return {"frames": frames, "seconds": seconds, "processor": processor, "memory": most_memory()}


def answer(function: Callable[..., dict[str, Any]]) -> int:
    """Call a function with the arguments that the command line gives as JSON, and print what it returns.

    Returns:
        An exit status; a user's mistake is told in one line.
    """
    return exit_status(lambda: print(json.dumps(function(**json.loads(sys.argv[1])))))


def exit_status(work: Callable[[], None]) -> int:
    """Do some work; return the exit status, after a user's mistake was told in one line."""
    try:
        work()
    except PtfanError as error:
        say_error(str(error))
        return 2
    return 0
