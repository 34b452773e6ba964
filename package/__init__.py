"""Video inpainting that people deploy: what most programs need of it; the rest of the runtime is `ptfan.engine`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ptfan.engine.engine import Engine
    from ptfan.engine.errors import PtfanError
    from ptfan.engine.frame import Box, Frame
    from ptfan.engine.inpainter import Inpainter, InpaintSettings
    from ptfan.engine.live.feed import FeedOptions
    from ptfan.engine.live.report import StreamReport
    from ptfan.engine.live.settings import LiveSettings
    from ptfan.engine.live.stream import stream
    from ptfan.engine.media.encoding import Encoding
    from ptfan.engine.pipeline import inpaint
    from ptfan.engine.report import Report

__all__ = [
    "Box",
    "Encoding",
    "Engine",
    "FeedOptions",
    "Frame",
    "InpaintSettings",
    "Inpainter",
    "LiveSettings",
    "PtfanError",
    "Report",
    "StreamReport",
    "__version__",
    "inpaint",
    "stream",
]

__version__ = "0.1.0"
"""The one place that the version is written down in."""

_HOMES = {
    "Box": "frame",
    "Encoding": "media.encoding",
    "Engine": "engine",
    "FeedOptions": "live.feed",
    "Frame": "frame",
    "InpaintSettings": "inpainter",
    "Inpainter": "inpainter",
    "LiveSettings": "live.settings",
    "PtfanError": "errors",
    "Report": "report",
    "StreamReport": "live.report",
    "inpaint": "pipeline",
    "stream": "live.stream",
}
"""The modules of `ptfan.engine` that the names come from."""


if not TYPE_CHECKING:  # to type checkers it would mean that every name is there

    def __getattr__(name: str) -> Any:
        """Import what is asked for, and only then: nobody waits for what they do not use."""
        if name not in _HOMES:
            raise AttributeError(f"module 'ptfan' has no attribute {name!r}")
        return getattr(import_module(f"ptfan.engine.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
