"""The TensorRT that is here: `tensorrt`, or `tensorrt_rtx`, which has the same interface and builds without a GPU."""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import new_class
from typing import Any, Literal, get_args

from ptfan.engine.errors import BackendError, MissingExtraError, one_line

__all__ = ["TensorRTName", "check_plugins_can_be_parsed", "import_tensorrt", "is_rtx", "log_of", "tensorrt_name"]

TensorRTName = Literal["tensorrt", "tensorrt_rtx"]
RTX_LIBRARY = "libtensorrt_rtx.so"


def tensorrt_name() -> TensorRTName | None:
    """Return the module that is installed, `tensorrt` where both are; None without one."""
    names: tuple[TensorRTName, ...] = get_args(TensorRTName)
    return next((name for name in names if find_spec(name) is not None), None)


def import_tensorrt(name: TensorRTName | None = None) -> Any:
    """Return the module of a name, or that which is installed.

    Raises:
        MissingExtraError: it is not installed, or cannot be loaded.
    """
    found = name or tensorrt_name()
    if found is None or find_spec(found) is None:
        raise MissingExtraError(
            f"{found or 'tensorrt'} is not installed: pip install 'ptfan[tensorrt]' and one of tensorrt-cu13, "
            "tensorrt-cu12 and tensorrt-rtx; JetPack brings it"
        )
    try:
        return import_module(found)
    except (ImportError, OSError) as error:
        raise MissingExtraError(f"{found} cannot be loaded ({one_line(error, 200)})") from error


def is_rtx(trt: Any) -> bool:
    """Tell whether a module is TensorRT for RTX."""
    return bool(trt.__name__ == "tensorrt_rtx")


def check_plugins_can_be_parsed(trt: Any) -> None:
    """Check that a parser which finds a plugin lives on.

    Raises:
        BackendError: it would end the process: TensorRT for RTX looks for a library that its package names otherwise.
    """
    if not is_rtx(trt):
        return
    try:
        ctypes.CDLL(RTX_LIBRARY)
    except OSError as error:
        package = find_spec("tensorrt_rtx_libs")
        folders = package.submodule_search_locations if package is not None else None
        library = Path(folders[0]) / f"{RTX_LIBRARY}.1" if folders else f"{RTX_LIBRARY}.1"
        raise BackendError(
            f"tensorrt_rtx takes plugins only where it finds {RTX_LIBRARY}: ln -s {library} DIR/{RTX_LIBRARY}, and set "
            "LD_LIBRARY_PATH=DIR; or take --plugin none"
        ) from error


@cache
def log_of(trt: Any) -> Any:
    """Return a TensorRT module's logger; its `problem` is what went wrong last, in one line.

    A process has one, which stays: TensorRT goes on with the first that it is given, for all that comes later.
    """
    return new_class("Log", (_Log, trt.ILogger), exec_body=lambda body: body.update(trt=trt))()


class _Log:
    """Keeps the last error, and drops the rest: TensorRT's notes are for its developers."""

    trt: Any

    def __init__(self) -> None:
        self.trt.ILogger.__init__(self)
        self.clear()

    def clear(self) -> None:
        """Forget the last error: called before what may fail, so that none is told for another one."""
        self.problem = "it does not say why"

    def log(self, severity: Any, text: str) -> None:
        if severity in (self.trt.ILogger.ERROR, self.trt.ILogger.INTERNAL_ERROR):
            self.problem = one_line(text, 200)
