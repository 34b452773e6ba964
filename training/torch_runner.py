"""A checkpoint as a runner: the network in torch behind the runtime's own contract, to compare and to try."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, one_line
from ptfan.engine.models import file_sha256
from ptfan.engine.runners.runner import Arrays, WatchableRunner
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.training.checkpoint import build
from ptfan.training.spec import generator_spec

__all__ = ["TorchRunner", "open_torch_runner"]


class TorchRunner(WatchableRunner):
    """A generator in torch, in evaluation mode, fp32."""

    def __init__(self, checkpoint: Path, *, device: str = "cpu", threads: int = 0) -> None:
        """Load a checkpoint.

        Args:
            checkpoint: what training or the import wrote (.safetensors).
            device: where to compute: cpu, cuda, cuda:1 ...
            threads: torch's threads, for the whole process; 0 leaves them as they are.

        Raises:
            InputNotFoundError: there is no such file.
            ModelError: it is not a checkpoint of ptfan.
            BackendError: there is no such device.
        """
        if threads:
            torch.set_num_threads(threads)
        generator = build(checkpoint)
        super().__init__(checkpoint, generator_spec(generator, weights_sha256=file_sha256(checkpoint)))
        self._device = device
        self._largest: float | None = None
        try:
            self._generator: Any = generator.to(device)
        except (RuntimeError, AssertionError) as error:  # a torch without CUDA asserts that it has it
            raise BackendError(f"device {device}: torch cannot use it ({one_line(error, 200)}); try cpu") from error

    @property
    def backend(self) -> str:
        """The backend and where it computes."""
        return f"torch ({self._device})"

    @torch.inference_mode()
    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run once.

        Raises:
            ModelError: an input is missing, has a wrong shape, or the runner is closed.
            BackendError: torch failed, for want of memory for instance.
        """
        self._check_ready(self._generator, CLIP_INPUTS, inputs)
        feed = [torch.from_numpy(np.asarray(inputs[name], np.float32)).to(self._device) for name in CLIP_INPUTS]
        try:
            fill = self._generator(*feed)
        except RuntimeError as error:
            raise BackendError(f"model {self.spec.name}: torch failed ({one_line(error, 200)})") from error
        return {"fill": fill.float().cpu().numpy()}

    @property
    def largest_activation(self) -> float | None:
        """The largest absolute value that a layer has given since `watch`; NaN where one was no number."""
        return self._largest

    def watch(self) -> None:
        """Look at what every layer gives from now on, to know how near fp16's end it comes; it costs some time."""
        if self._generator is None or self._largest is not None:
            return
        self._largest = 0.0
        for module in self._generator.modules():
            module.register_forward_hook(self._look)

    def _look(self, module: torch.nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            # Of NumPy's ways, the one with which what is no number stays.
            self._largest = float(np.maximum(float(output.abs().amax()), self._largest or 0.0))

    def close(self) -> None:
        """Free the network; a closed runner runs no more."""
        self._generator = None


def open_torch_runner(model: Path, *, threads: int = 0) -> TorchRunner:
    """Open a checkpoint on the best device that torch has here: what the entry point `ptfan.runners` offers."""
    return TorchRunner(model, device="cuda" if torch.cuda.is_available() else "cpu", threads=threads)
