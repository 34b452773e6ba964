"""How far TensorRT's builder is, and how to stop it."""

from __future__ import annotations

import threading
from types import new_class
from typing import Any

from ptfan.engine.progress import Progress

__all__ = ["make_monitor"]


def make_monitor(trt: Any, progress: Progress, stop: threading.Event) -> Any:
    """Return what a TensorRT module's builder tells of its steps.

    Args:
        trt: the module.
        progress: shows the outermost phases; finer ones come and go too fast to be read.
        stop: set it, and the builder gives up.
    """
    monitor = new_class("Monitor", (_Monitor, trt.IProgressMonitor), exec_body=lambda body: body.update(trt=trt))
    return monitor(progress, stop)


class _Monitor:
    """The builder calls it from threads of its own."""

    trt: Any

    def __init__(self, progress: Progress, stop: threading.Event) -> None:
        self.trt.IProgressMonitor.__init__(self)
        self._progress, self._stop, self._lock = progress, stop, threading.Lock()
        self._outermost = ""

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        with self._lock:
            if not parent_phase:
                self._outermost = phase_name
                self._progress.start(phase_name, num_steps, "steps")

    def step_complete(self, phase_name: str, step: int) -> bool:
        with self._lock:
            if phase_name == self._outermost:
                self._progress.advance()
        return not self._stop.is_set()

    def phase_finish(self, phase_name: str) -> None:
        with self._lock:
            if phase_name == self._outermost:
                self._progress.finish()
