"""Run a step model in ONNX Runtime alone: what a program does that holds no part of ptfan, in whatever language.

Usage: python examples/plain_onnxruntime.py s-live.onnx 432x240

The model file tells how it is fed, in its metadata under `ptfan.spec`; `ModelSpec` in engine/spec.py explains that.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
CHANNELS = {
    "frames": 3,
    "hole": 1,
    "guidance": 1,
    "flow_forward": 2,
    "flow_backward": 2,
    "validity_forward": 1,
    "validity_backward": 1,
}
"""What a step takes of a frame, and its channels."""


class PlainStepModel:
    """One stream of a step model, and what it hands on from step to step."""

    def __init__(self, model: Path, height: int, width: int) -> None:
        """Load a file, for frames of one size, multiples of the spec's `size_multiple` in pixels."""
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else it tells its makers which models are run
        import onnxruntime  # noqa: TID251 - ptfan's own way to it is a part of ptfan

        self._session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        self._spec = json.loads(self._session.get_modelmeta().custom_metadata_map["ptfan.spec"])
        self._types = {entry.name: TYPES[entry.type] for entry in self._session.get_inputs()}
        self._outputs = [entry.name for entry in self._session.get_outputs()]
        self._live = np.zeros((1, self._spec["lookahead"] + 2), np.float32)
        self._past: dict[str, deque[NDArray[Any]]] = {}
        for item in self._spec["carried"]:
            shape = (1, item["channels"], height // item["size"], width // item["size"])
            zeros = np.zeros(shape, np.float16 if item["precision"] == "fp16" else np.float32)
            longest = max(item["delays"])
            self._past[item["name"]] = deque([zeros] * longest, maxlen=longest)  # the newest comes first

    @property
    def delay(self) -> int:
        """Steps between a frame and its fill."""
        return int(self._spec["lookahead"])

    def push(self, inputs: Arrays, *, live: bool = True) -> NDArray[np.float32]:
        """Take the stream's next frame, or, to get the last ones, any values with `live` False.

        Args:
            inputs: (1, C, H, W) each, see `CHANNELS`; forward flow and its validity are those of the frame before.
            live: whether it is a frame of the stream.

        Returns:
            The fill (3, H, W) of the frame `delay` steps ago; of the first `delay` steps there is none.
        """
        self._live = np.concatenate(([[float(live)]], self._live[:, :-1]), axis=1)
        feed: Arrays = {**inputs, "live": self._live}
        for item in self._spec["carried"]:
            for delay in item["delays"]:
                feed[f"{item['name']}.{delay}"] = self._past[item["name"]][delay - 1]
        feed = {name: array.astype(self._types[name], copy=False) for name, array in feed.items()}
        given = dict(zip(self._outputs, self._session.run(self._outputs, feed), strict=True))
        for name, values in self._past.items():
            values.appendleft(given[name])
        fill: NDArray[np.float32] = given["fill"][0].astype(np.float32)
        return fill


def random_inputs(height: int, width: int) -> Arrays:
    """Return what a step takes; flow is 0."""
    rng = np.random.default_rng(0)
    shapes = {name: (1, channels, height, width) for name, channels in CHANNELS.items()}
    return {
        name: np.zeros(shape, np.float32) if name.startswith("flow") else rng.random(shape, np.float32)
        for name, shape in shapes.items()
    }


def main(model: str, size: str) -> None:
    """Show a model a few frames."""
    width, height = map(int, size.split("x"))
    step, inputs = PlainStepModel(Path(model), height, width), random_inputs(height, width)
    frames = 4
    fills = [step.push(inputs, live=number < frames) for number in range(frames + step.delay)]
    for number, fill in enumerate(fills[step.delay :]):
        print(f"frame {number}: the fill's mean is {fill.mean():.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
