"""Several live streams in one process, which share one network."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from ptfan.engine.closing import Closing
from ptfan.engine.fillers.step_pool import StepPool
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.models import DEFAULT_MODEL
from ptfan.engine.runners.choice import open_model
from ptfan.engine.runners.runner import Runner

__all__ = ["Engine"]


class Engine(Closing):
    """A step model that is loaded once, and makes each step for all of its streams at once.

    Streams come and go as they like, each in a thread of its own, and get the frames that they would get alone. Those
    whose crops have one size share a batch; streams whose frames have no hole just now are not waited for.

    Example:
        def serve(engine, source, sink):
            with engine.open_stream() as stream:
                for frame in source:
                    sink.extend(stream.push(frame))
                sink.extend(stream.flush())

        with Engine("s-live", streams=2) as engine, ThreadPoolExecutor() as threads:
            for source, sink in cameras:
                threads.submit(serve, engine, source, sink)
    """

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        streams: int,
        patience: float | None = None,
        settings: InpaintSettings | None = None,
        runner: Runner | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: a step model of the package by name, or an ONNX file of that form.
            streams: how many share a batch; when more are open, there are more batches. A step costs as much as that
                many streams, however many are open.
            patience: seconds that a step waits for a stream that is late, before it is made without it; None waits as
                long as it takes, so that a source which stalls holds up the others.
            settings: how frames are prepared; the model's own by default.
            runner: a loaded network to use instead of `model`; it is not closed here.

        Raises:
            InputNotFoundError: there is no such model.
            ModelError: the file is not a model of ptfan, or not of the step form.
            InputError: the number of streams is not whole, or it or the patience is out of range.
            MissingExtraError: no backend is installed.
        """
        self.settings = settings or InpaintSettings()
        with ExitStack() as opened:
            shared = runner or opened.enter_context(
                open_model(model, backend=self.settings.backend, threads=self.settings.threads, gpu=self.settings.gpu)
            )
            self._pool = opened.enter_context(StepPool(shared, streams=streams, patience=patience))
            self._opened = opened.pop_all()

    def open_stream(self, settings: InpaintSettings | None = None) -> Inpainter:
        """Return an inpainter for one stream, to be used in a thread of its own, and closed when the stream is over.

        One that is dropped without being closed counts as late: the others wait for it, as `patience` says.

        Args:
            settings: how its frames are prepared; the engine's by default. What runs the network is the engine's.

        Raises:
            InputError: the engine is closed.
        """
        self._pool.check_open()
        return Inpainter(settings=settings or self.settings, pool=self._pool)

    def close(self) -> None:
        """Free the network, from any thread: streams that are open cannot go on, and those that wait get an error."""
        self._opened.close()
