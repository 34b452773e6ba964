"""A plan at one extent: TensorRT works out all shapes once, and what repeats stays recorded while other extents run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ptfan.engine.errors import BackendError
from ptfan.engine.runners.trt.launches import Launches, Recorder

__all__ = ["Execution"]

Shapes = Mapping[str, tuple[int, ...]]


class Execution:
    """One of TensorRT's contexts, with the runs that were recorded in it.

    Attributes:
        context: TensorRT's.
        shapes: Of all inputs and outputs, by name.
    """

    def __init__(
        self, name: str, context: Any, log: Any, inputs: Sequence[str], shapes: Shapes, stream: int, recorder: Recorder
    ) -> None:
        """Tell the context all shapes.

        Args:
            name: the plan's, for errors.
            context: one with the memory that it needs, which nothing else uses.
            log: TensorRT's logger.
            inputs: the names of the inputs.
            shapes: of all inputs and outputs.
            stream: what it runs on.
            recorder: records its runs.

        Raises:
            BackendError: TensorRT refuses them, or has others for the outputs.
        """
        self.context, self.shapes = context, shapes
        self._name, self._log, self._stream = name, log, stream
        self._launches = Launches(recorder)
        log.clear()
        for tensor in inputs:
            if not context.set_input_shape(tensor, shapes[tensor]):
                raise BackendError(f"{name}: TensorRT refuses {tensor} of {shapes[tensor]} ({log.problem})")
        for tensor, expected in shapes.items():
            found = tuple(context.get_tensor_shape(tensor))
            if found != expected:  # it would write beyond the memory that is there
                raise BackendError(
                    f"{name}: {tensor} is {found} in TensorRT, expected {expected}; build the plan again"
                )

    @property
    def recordable(self) -> bool:
        """Whether a run may be recorded; TensorRT for RTX knows."""
        asked = getattr(self.context, "is_stream_capturable", None)
        return asked is None or bool(asked(self._stream))

    def run(self, pointers: Mapping[str, int], before: Callable[[], None], after: Callable[[], None]) -> None:
        """Queue a run; before the next, all that was queued must be done.

        Args:
            pointers: where all inputs and outputs lie, by name.
            before: queues what comes first, the same for the same pointers.
            after: queues what comes last, likewise.

        Raises:
            BackendError: TensorRT failed.
        """

        def work() -> None:
            before()
            self._queue(pointers)
            after()

        self._launches.run(tuple(pointers.values()), work, ready=self.recordable)

    def _queue(self, pointers: Mapping[str, int]) -> None:
        self._log.clear()
        for tensor, pointer in pointers.items():
            if not self.context.set_tensor_address(tensor, pointer):
                raise BackendError(f"{self._name}: TensorRT refuses where {tensor} lies ({self._log.problem})")
        if not self.context.execute_async_v3(self._stream):
            raise BackendError(f"{self._name}: TensorRT failed ({self._log.problem})")
