from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ptfan.engine.bench import process
from ptfan.engine.bench.contender import Contender
from ptfan.engine.bench.end_to_end import measure_videos
from ptfan.engine.bench.footage import Footage
from ptfan.engine.demo import DEMO_CLIP, DEMO_MASK
from ptfan.engine.errors import BackendError

DEMO = Footage(clip=DEMO_CLIP, mask=DEMO_MASK)
ENTRIES = [Contender("slow", "s.onnx", "auto"), Contender("fast", "s-live.onnx", "onnxruntime", threads=2)]


class Runs:
    """Processes that take as long as they are told to."""

    def __init__(self, seconds: list[float]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._seconds = iter(seconds)

    def run(self, command: list[str], **options: Any) -> Any:
        asked = json.loads(command[-1])
        assert Path(asked.pop("folder")).is_dir()
        self.asked.append(asked)
        seconds = next(self._seconds)
        found = {
            "seconds": seconds,
            "frames": 50,
            "stages": {"infer": seconds / 2},
            "memory": int(1e6 * seconds),
            "processor": 2 * seconds,
        }
        return SimpleNamespace(returncode=0, stdout=f"something else\n{json.dumps(found)}\n", stderr="")


def test_runs_take_turns_and_medians_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, done = Runs([10, 2, 20, 1, 5, 4]), list[None]()
    monkeypatch.setattr(process, "subprocess", runs)
    slow, fast = measure_videos(ENTRIES, DEMO, rounds=3, crop=False, advance=lambda: done.append(None))
    assert [asked["model"] for asked in runs.asked] == ["s.onnx", "s-live.onnx"] * 3
    assert runs.asked[1]["settings"] == {"crop": False, "threads": 2, "backend": "onnxruntime", "gpu": 0}
    assert len(done) == 6
    assert (slow.model, slow.frames, slow.fps, slow.slowest, slow.memory, slow.ratio) == ("slow", 50, 5, 2.5, 20e6, 1)
    assert (fast.model, fast.fps, fast.slowest, fast.memory, fast.ratio) == ("fast", 25, 12.5, 4e6, 5)
    assert (slow.stages, fast.stages) == ({"infer": 100}, {"infer": 20})
    assert (slow.processor, fast.processor) == (400, 80)
    assert (slow.rate, slow.realtime) == (25, 0.2)


def test_a_video_of_another_size_is_made_once_for_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs([1.0] * 4)
    monkeypatch.setattr(process, "subprocess", runs)
    results = measure_videos(ENTRIES, Footage(clip=DEMO_CLIP, mask=DEMO_MASK, size=(64, 48)), rounds=2)
    (clip,) = {asked["clip"] for asked in runs.asked}
    assert clip != str(DEMO_CLIP)
    assert not Path(clip).exists()
    assert [item.label for item in results] == ["slow, 64x48", "fast, 64x48"]


@pytest.mark.parametrize(("stderr", "why"), [("Traceback\nout of memory\n", "out of memory"), ("", "no message")])
def test_a_run_that_fails_tells_its_last_line(stderr: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = SimpleNamespace(returncode=1, stdout="", stderr=stderr)
    monkeypatch.setattr(process, "subprocess", SimpleNamespace(run=lambda *args, **options: failed))
    with pytest.raises(BackendError, match=rf"bench: inpainting with s.onnx failed \({why}"):
        measure_videos(ENTRIES, DEMO, rounds=1)
