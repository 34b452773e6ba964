"""One whole run in a process of its own: `python -m ptfan.engine.bench.video_run JSON` prints what it took."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from ptfan.engine.bench.process import most_memory
from ptfan.engine.inpainter import InpaintSettings
from ptfan.engine.pipeline import inpaint

__all__ = ["video_run"]


def video_run(clip: str, mask: str, model: str, folder: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Inpaint a video into a folder; return what it took: seconds, of all cores as well, frames, and memory in bytes.

    Args:
        clip: a video.
        mask: its hole.
        model: as `--model` takes it.
        folder: where the result goes.
        settings: fields of `InpaintSettings`.
    """
    how, result = InpaintSettings(**settings), Path(folder) / "out.mp4"
    begin = time.process_time()
    report = inpaint(clip, result, mask=mask, model=model, settings=how, warn=lambda line: None)
    found = {"processor": time.process_time() - begin, "memory": most_memory()}
    return {"seconds": report.seconds, "frames": report.frames, "stages": dict(report.stages), **found}


if __name__ == "__main__":
    print(json.dumps(video_run(**json.loads(sys.argv[1]))))
