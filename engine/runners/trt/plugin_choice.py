"""Which plugin gives TensorRT the flow-guided warp: the C++ library where there is one, else the one in Python."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ptfan.engine.errors import BackendError, InputNotFoundError, one_line
from ptfan.engine.models import file_sha256
from ptfan.engine.runners.trt.flow_warp_kernel import check_compiler
from ptfan.engine.runners.trt.flow_warp_plugin import register, unregister

__all__ = ["LIBRARY_NAME", "PLUGIN_VARIABLE", "Plugin", "PluginKind", "find_plugin"]

PluginKind = Literal["library", "python", "none"]
LIBRARY_NAME = "libptfan_plugin.so"
PLUGIN_VARIABLE = "PTFAN_PLUGIN"
"""Names the library where no option does."""


@dataclass(frozen=True)
class Plugin:
    """What computes FlowWarp in a plan."""

    kind: PluginKind
    """`none`: the function that the model carries, in standard operators."""
    library: Path | None = None
    """The C++ library."""

    @property
    def sha256(self) -> str | None:
        """The library's hash."""
        return None if self.library is None else file_sha256(self.library)

    def load(self, trt: Any) -> None:
        """Make it known to a TensorRT module, which takes one plugin of a name: a process has one library.

        Raises:
            MissingExtraError: the one in Python lacks CUDA's bindings.
            BackendError: TensorRT cannot load the library, or has loaded another one; or the driver is older than the
                compiler that the one in Python takes.
        """
        if self.kind == "python":
            check_compiler()
            register(trt)
        if self.library is None or _loaded.get(trt.__name__) == self.sha256:
            return
        if trt.__name__ in _loaded:
            raise BackendError(f"plugin {self.library}: this process has loaded another one; use them one at a time")
        unregister(trt)  # the one in Python would be in its way
        _load_library(trt, self.library)
        _loaded[trt.__name__] = str(self.sha256)


_loaded: dict[str, str] = {}
"""The hash of the library that a TensorRT module has loaded; it is not unloaded."""


def _load_library(trt: Any, library: Path) -> None:
    try:
        handle = trt.get_plugin_registry().load_library(str(library.resolve()))
    except Exception as error:  # what TensorRT raises has no public base class
        raise BackendError(f"plugin {library}: cannot be loaded ({one_line(error, 200)})") from error
    if handle is None:
        raise BackendError(f"plugin {library}: cannot be loaded; was it built for this TensorRT?")


def find_plugin(asked: str | None, folder: Path, otherwise: PluginKind) -> Plugin:
    """Return the plugin to use.

    Args:
        asked: a library's file, `python` or `none`; None looks for the library under PTFAN_PLUGIN and in the folder.
        folder: the plan's.
        otherwise: what is taken where there is no library; not `python` where that cannot run.

    Raises:
        InputNotFoundError: the library that is named is not there.
    """
    if asked == "none":
        return Plugin("none")
    if asked == "python":
        return Plugin("python")
    named = asked or os.environ.get(PLUGIN_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise InputNotFoundError(f"plugin {named}: there is no such file; expected {LIBRARY_NAME}, python or none")
        return Plugin("library", Path(named))
    if (folder / LIBRARY_NAME).is_file():
        return Plugin("library", folder / LIBRARY_NAME)
    runs = find_spec("cuda") is not None and find_spec("cuda.core") is not None
    return Plugin("none" if otherwise == "python" and not runs else otherwise)
