"""Who takes part beside peers: each can be timed once, and tells what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from beside.clip import Clip
from beside.peer import Peer
from ptfan.engine.bench.contender import Contender
from ptfan.engine.bench.end_to_end import measure_videos
from ptfan.engine.bench.footage import Footage
from ptfan.engine.bench.process import run_process

__all__ = ["Entry", "PeerEntry", "Row", "StepEntry", "VideoEntry"]

HERE = Path(__file__).parent.parent


@dataclass(kw_only=True)
class Row:
    """What was found about one of those that were compared."""

    label: str
    """What tables call it."""
    parts: str
    """What its seconds hold."""
    by: str
    """What computed, and with which numbers."""
    ours: bool
    """Whether it is ptfan."""
    frames: int = 0
    """Frames of a run."""
    times: list[float] = field(default_factory=list)
    """Seconds a finished frame, of every run in order."""
    processor: list[float] = field(default_factory=list)
    """Seconds a finished frame of all cores together, of every run: others at work on the machine change it less."""
    memory: int = 0
    """The most that a run's process had, bytes."""
    flop: float | None = None
    """Floating-point operations of a finished frame: convolutions and matrix products."""
    parameters: int | None = None
    """Of all networks that take part."""

    @property
    def seconds(self) -> float:
        """Seconds a finished frame, of the usual run."""
        return median(self.times)

    @property
    def cores(self) -> float:
        """Seconds a finished frame of all cores together, of the usual run."""
        return median(self.processor)

    def add(self, found: dict[str, Any]) -> None:
        """Take a run's figures."""
        self.frames = found["frames"]
        self.times.append(found["seconds"] / found["frames"])
        self.processor.append(found["processor"] / found["frames"])
        self.memory = max(self.memory, found["memory"])


class Entry(Protocol):
    """One of those that are compared."""

    row: Row

    def measure(self) -> None:
        """Run once, in a process of its own, and add what it took to the row.

        Raises:
            BackendError: it failed.
        """


class PeerEntry:
    """A peer's published code."""

    def __init__(self, name: str, peer: Peer, clip: Clip) -> None:
        """Count what it computes.

        Args:
            name: of the run; see `PEERS`.
            peer: the checkout.
            clip: what it fills.

        Raises:
            BackendError: its networks could not be built.
        """
        folder = str(peer.folder.resolve())
        self._asked = {"name": name, "folder": folder, "video": str(clip.video), "mask": str(clip.mask)}
        found = self._run(count=True)
        self.deformable: str = found.pop("deformable")
        self.row = Row(label=peer.label, parts=peer.parts, by="torch (CPU), fp32", ours=False, **found)

    def measure(self) -> None:
        """Run once; see `Entry`."""
        self.row.add(self._run(count=False))

    def _run(self, *, count: bool) -> dict[str, Any]:
        return run_process("beside.peer_run", {**self._asked, "count": count}, self._asked["name"], folder=HERE)


class StepEntry:
    """A step of one of our networks, over whole frames."""

    def __init__(self, model: str, backend: str, size: tuple[int, int], frames: int) -> None:
        """Say which.

        Args:
            model: its name.
            backend: as `--backend` takes it.
            size: (width, height) of the frames, pixels.
            frames: of a run.
        """
        self._asked = {"model": model, "backend": backend, "width": size[0], "height": size[1], "frames": frames}
        self.row = Row(label=f"`{model}`, a step, whole frame", parts="network", by="", ours=True)

    def measure(self) -> None:
        """Run once; see `Entry`."""
        what = f"steps of {self._asked['model']}"
        found = run_process("beside.step_run", self._asked, what, folder=HERE)
        self.row.by, self.row.flop, self.row.parameters = found["by"], found["flop"], found["parameters"]
        self.row.add(found)


class VideoEntry:
    """A video from file to file, as users run it."""

    def __init__(self, contender: Contender, clip: Clip, *, numbers: str, crop: bool) -> None:
        """Say which.

        Args:
            contender: a model on a backend.
            clip: what it fills.
            numbers: what the network computes with.
            crop: show the network only a region round the hole.
        """
        self._contender, self._clip, self._crop = contender, clip, crop
        label = f"`{contender.model}`, file to file" + ("" if crop else ", whole frame")
        parts = "decoding, flow, completion, network, encoding" + ("; a crop round the hole" if crop else "")
        self.row = Row(label=label, parts=parts, by=f"ONNX Runtime (CPU), {numbers}", ours=True)

    def measure(self) -> None:
        """Run once; see `Entry`."""
        (found,) = measure_videos(
            [self._contender], Footage(clip=self._clip.video, mask=self._clip.mask), rounds=1, crop=self._crop
        )
        took = {"seconds": found.frames / found.fps, "processor": found.processor * found.frames / 1e3}
        self.row.add({"frames": found.frames, "memory": found.memory, **took})
