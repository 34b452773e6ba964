"""The ONNX Runtime backend."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptfan.engine.errors import BackendError, ModelError, one_line
from ptfan.engine.runner import Arrays
from ptfan.engine.spec import METADATA_KEY, ModelSpec

__all__ = ["OrtRunner"]

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OrtRunner:
    """A network in ONNX Runtime, on the CPU."""

    def __init__(self, model: Path, *, threads: int = 0) -> None:
        """Load an ONNX file.

        Args:
            model: the file.
            threads: threads inside the network; 0 takes one a core.

        Raises:
            ModelError: not an ONNX file, or none that ptfan exported.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        # Idle threads that spin would take the cores from decoding, flow and encoding.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no public base class
            raise ModelError(
                f"model {model}: ONNX Runtime cannot load it ({one_line(error, 200)}); expected an ONNX file"
            ) from error
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        if text is None:
            raise ModelError(f"model {model}: has no ptfan spec in its metadata; export it with `ptfan export`")
        try:
            self._spec = ModelSpec.from_json(text)
        except ModelError as error:
            raise ModelError(f"{model}: {error}") from error
        self._types = {entry.name: TYPES.get(entry.type) for entry in session.get_inputs()}
        if None in self._types.values():
            raise ModelError(f"model {model}: takes inputs that are not floating; export it with `ptfan export`")
        self._names = [entry.name for entry in session.get_outputs()]
        self._session: Any = session

    @property
    def spec(self) -> ModelSpec:
        """How the network wants to be fed."""
        return self._spec

    @property
    def backend(self) -> str:
        """The backend and where it computes."""
        return "onnxruntime (CPU)"

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run once.

        Raises:
            ModelError: an input is missing.
            BackendError: ONNX Runtime failed, for want of memory or because an input does not fit the graph.
        """
        return self.run_into(inputs, {})

    def run_into(self, inputs: Arrays, into: Arrays) -> dict[str, NDArray[Any]]:
        """Run once, with some outputs written to arrays that are there already.

        Args:
            inputs: by name.
            into: by the outputs' names, contiguous arrays of the graph's own types and shapes.

        Returns:
            The other outputs.

        Raises:
            ModelError: an input is missing.
            BackendError: ONNX Runtime failed, for want of memory or because an array does not fit the graph.
        """
        missing = sorted(set(self._types) - set(inputs))
        if missing:
            raise ModelError(f"model {self._spec.name}: input {', '.join(missing)} was not given")
        feed = {name: np.asarray(inputs[name], dtype) for name, dtype in self._types.items()}
        names = [name for name in self._names if name not in into]
        try:
            outputs = self._bound(feed, into) if into else self._session.run(names, feed)
        except Exception as error:
            raise BackendError(f"model {self._spec.name}: ONNX Runtime failed ({one_line(error, 200)})") from error
        return {name: np.asarray(array, np.float32) for name, array in zip(names, outputs, strict=True)}

    def _bound(self, feed: Arrays, into: Arrays) -> list[NDArray[Any]]:
        binding = self._session.io_binding()
        for name, array in feed.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in self._names:
            if name in into:
                array = into[name]
                binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
            else:
                binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        outputs = zip(self._names, binding.get_outputs(), strict=True)
        return [value.numpy() for name, value in outputs if name not in into]

    def close(self) -> None:
        """Free the session; a closed runner runs no more."""
        self._session = None

    def __enter__(self) -> OrtRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
