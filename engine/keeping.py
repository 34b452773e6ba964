"""What is kept of a run that ends before its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ptfan.engine.errors import InterruptedRunError, OutputError, PtfanError
from ptfan.engine.media import Sink
from ptfan.engine.notices import Warn
from ptfan.engine.stages import Stages

__all__ = ["keeping"]


@contextmanager
def keeping(sink: Sink, stages: Stages[Any], tell: Warn) -> Iterator[None]:
    """Keep the frames that were finished when a run ends early, and say so; but not those of a sink that failed."""
    try:
        yield
    except OutputError:
        raise
    except PtfanError as error:
        kept = _kept(sink, stages.frames)
        if isinstance(error, InterruptedRunError) and not kept:
            kept = [f"nothing was kept after {stages.frames} frames"]
        for line in kept:
            error.add(line)
        raise
    except Exception:
        for line in _kept(sink, stages.frames):
            tell(line)
        raise


def _kept(sink: Sink, frames: int) -> list[str]:
    partial = sink.abort(keep_partial=True)
    return [] if partial is None else [f"the first {frames} frames are kept as {partial}"]
