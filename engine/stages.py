"""The four stages of a run, each in its own thread: decode, prepare, infer, encode."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from ptfan.engine.channel import THREAD_PREFIX, Cancelled, Channel
from ptfan.engine.frame import Frame, Mask
from ptfan.engine.media import Sample, Sink

__all__ = ["CopyThrough", "Inpainting", "Masks", "Preparer", "Room", "Stages"]

STAGES = ("decode", "mask", "prepare", "infer", "encode")
"""What `Stages.busy` is told by; masks are read in the decoder's thread."""
LARGE = 1 << 20
"""Pixels of a frame that is large."""
GRACE_SECONDS = 2.0
"""How long a run that is over waits for the decoder to notice, and one that a signal breaks off for every thread."""
POLL_SECONDS = 0.05
"""How often the waiting thread looks whether it is to stop."""

Window = TypeVar("Window")
Produced = TypeVar("Produced", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much may wait between two stages."""

    decoded: int = 4
    """Frames for the preparer."""
    windows: int = 1
    """Windows for the network; with 0 each is handed over."""
    filled: int = 48
    """Filled frames for the encoder."""

    @classmethod
    def of(cls, width: int, height: int) -> Room:
        """Return what suits frames of a size in pixels: large ones fill gigabytes, small ones gain a tenth in speed."""
        return cls() if width * height < LARGE else cls(windows=0, filled=4)


class Masks(Protocol):
    """Tells where the holes are."""

    def hole_of(self, sample: Sample) -> Mask:
        """Return the hole (H, W) of the next picture."""


class Preparer(Protocol[Produced]):
    """Turns frames into windows for the network."""

    def push(self, frame: Frame) -> Sequence[Produced]:
        """Take one frame; return the windows that are complete."""

    def flush(self) -> Sequence[Produced]:
        """Return the windows of what is left; the stream has ended."""


class Inpainting(Protocol[Window]):
    """The two halves of an inpainter, each used by one thread."""

    @property
    def preparer(self) -> Preparer[Window]:
        """What makes windows of frames."""

    def infer(self, window: Window) -> Sequence[Frame]:
        """Fill the holes of a window; return the frames that are finished, in order."""

    def finish(self) -> Sequence[Frame]:
        """Return the frames that still wait behind the last window."""


class CopyThrough:
    """Stands where the inpainter does when no frame has a hole: every frame leaves as it came."""

    @property
    def preparer(self) -> CopyThrough:
        """Itself: a window is one frame."""
        return self

    def push(self, frame: Frame) -> list[Frame]:
        """Return the frame."""
        return [frame]

    def flush(self) -> list[Frame]:
        """Return nothing: no frame waits."""
        return []

    def infer(self, window: Frame) -> list[Frame]:
        """Return the frame."""
        return [window]

    def finish(self) -> list[Frame]:
        """Return nothing: no frame waits."""
        return []


class Stages(Generic[Window]):
    """Runs a video through the stages; memory is bounded by the queues between them.

    Args:
        source: Pictures in order.
        masks: Their holes.
        inpainting: What fills the holes.
        sink: Takes the filled frames; only `close` closes it.
        advance: Called in the encoding thread after every frame.
        room: How much may wait between two stages; less makes a live stream's delay shorter.
    """

    def __init__(
        self,
        source: Iterable[Sample],
        masks: Masks,
        inpainting: Inpainting[Window],
        sink: Sink,
        advance: Callable[[], None] = lambda: None,
        *,
        room: Room | None = None,
    ) -> None:
        self.frames = 0
        """Frames written so far."""
        self.holes = 0
        """Frames written so far that have a hole."""
        self.busy: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        """Seconds that each stage worked, waiting left out."""
        self._source = source
        self._masks = masks
        self._inpainting = inpainting
        self._sink = sink
        self._advance = advance
        room = room or Room()
        self._decoded: Channel[Frame] = Channel(room.decoded)
        self._windows: Channel[Window] = Channel(room.windows)
        self._filled: Channel[Frame] = Channel(room.filled)
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._complete = False
        self._encoded = threading.Event()
        """Set when the last stage is over."""

    def run(self, stop: threading.Event | None = None) -> bool:
        """Work until the video ends, a stage fails or `stop` is set.

        On `stop`, frames that the network has finished are still written; all others are dropped. So it is when a stage
        fails; but what was read before the source or a mask failed is filled and written as if it had ended there.

        Returns:
            True when every frame was written; False when stopped before.

        Raises:
            BaseException: the first error of any stage; or what a signal's handler raises, which breaks the run off.
        """
        stages = (self._decode, self._prepare, self._infer, self._encode)
        threads = [threading.Thread(target=self._guard, args=(stage,), daemon=True) for stage in stages]
        for thread, stage in zip(threads, stages, strict=True):
            thread.name = THREAD_PREFIX + stage.__name__[1:]
        try:
            self._work(threads, stop or threading.Event())
        except BaseException:  # Of a signal's handler. What the threads use is closed next.
            self._break_off(threads)
            raise
        if self._error is not None:
            raise self._error
        return self._complete

    def close(self) -> None:
        """Finish the output, which is part of encoding.

        Raises:
            OutputError: it cannot be finished.
        """
        with self._at_work("encode"):
            self._sink.close()

    def _work(self, threads: list[threading.Thread], stop: threading.Event) -> None:
        for thread in threads:
            thread.start()
        self._watch(stop)
        self._halt()
        decode, *others = threads
        for thread in others:
            thread.join()
        # It may wait for a pipe that stays silent for ever; nobody takes what it reads, so it can be left there.
        decode.join(GRACE_SECONDS)

    def _watch(self, stop: threading.Event) -> None:
        """Return when the last stage is over, and halt the others when they are to stop."""
        try:
            self._await_end(stop)
        except KeyboardInterrupt:  # Without a handler of the caller's: the first one stops, the second one quits.
            if stop.is_set():
                raise
            stop.set()
            self._await_end(stop)

    def _await_end(self, stop: threading.Event) -> None:
        # The thread itself is not waited for: before Python 3.13, one counts as over when Ctrl-C ends the waiting.
        while not self._encoded.wait(POLL_SECONDS):
            if stop.is_set():
                self._halt()

    def _break_off(self, threads: list[threading.Thread]) -> None:
        """End what is at work now, and drop the rest."""
        self._halt()
        self._filled.cancel()
        for thread in threads:
            if thread.is_alive():  # the others may not have begun
                thread.join(GRACE_SECONDS)

    def _halt(self) -> None:
        """Stop whatever lies before the encoder, which then finds the end of its queue."""
        self._decoded.cancel()
        self._windows.cancel()

    def _fail(self, error: BaseException, stage: Callable[[], None]) -> None:
        with self._lock:
            self._error = self._error or error
        if stage != self._decode:
            self._halt()
        if stage == self._encode:
            self._filled.cancel()

    def _guard(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except Cancelled:
            pass
        except BaseException as error:
            self._fail(error, stage)
        finally:
            if stage == self._encode:
                self._encoded.set()

    @contextmanager
    def _at_work(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.busy[stage] += time.perf_counter() - begin

    def _decode(self) -> None:
        samples = iter(self._source)
        try:
            while True:
                with self._at_work("decode"):
                    sample = next(samples, None)
                if sample is None:
                    break
                with self._at_work("mask"):
                    hole = self._hole(sample)
                self._decoded.put(Frame(sample.image, hole, tag=sample, cut=sample.fresh))
        finally:
            self._decoded.close()

    def _hole(self, sample: Sample) -> Mask:
        return np.zeros(sample.image.shape[:2], bool) if sample.whole else self._masks.hole_of(sample)

    def _prepare(self) -> None:
        preparer = self._inpainting.preparer
        for frame in self._decoded:
            with self._at_work("prepare"):
                windows = preparer.push(frame)
            self._put_windows(windows)
        with self._at_work("prepare"):
            windows = preparer.flush()
        self._put_windows(windows)
        self._windows.close()

    def _put_windows(self, windows: Sequence[Window]) -> None:
        for window in windows:
            self._windows.put(window)

    def _infer(self) -> None:
        try:
            for window in self._windows:
                with self._at_work("infer"):
                    frames = self._inpainting.infer(window)
                del window  # Or its frames would live until the next one comes.
                self._put_filled(frames)
                del frames
            with self._at_work("infer"):
                frames = self._inpainting.finish()
            self._put_filled(frames)
            self._complete = True
        finally:
            self._filled.close()

    def _put_filled(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self._filled.put(frame)

    def _encode(self) -> None:
        for frame in self._filled:
            assert isinstance(frame.tag, Sample)
            with self._at_work("encode"):
                self._sink.write(frame.tag, frame)
            self.frames += 1
            self.holes += bool(frame.hole.any())
            self._advance()
