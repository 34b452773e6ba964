"""The command line on small clips, with a network that fills holes with what flow carried into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.cli import main
from ptfan.engine.media import open_source
from ptfan.engine.spec import CLIP_INPUTS, METADATA_KEY, ModelSpec

WIDTH, HEIGHT = 64, 48
HOLE = (20, 14, 16, 12)
"""Left, top, width and height."""

Picture = NDArray[np.uint8]


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A smooth pattern that moves two pixels a frame."""
    y, x = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin((x + 2 * index) / 6 + channel) * np.cos(y / 7) for channel in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


def hole() -> NDArray[np.bool_]:
    x, y, width, height = HOLE
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + height, x : x + width] = True
    return mask


def save_model(path: Path) -> Path:
    """Write a network whose answer is its `frames`: the known pixels, propagated along the flow."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    channels = {"frames": 3, "flow_forward": 2, "flow_backward": 2}
    inputs = [helper.make_tensor_value_info(name, kind, ["T", channels.get(name, 1), "H", "W"]) for name in CLIP_INPUTS]
    fill = helper.make_tensor_value_info("fill", kind, ["T", 3, "H", "W"])
    graph = helper.make_graph([helper.make_node("Identity", ["frames"], ["fill"])], "carry", inputs, [fill])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    spec = ModelSpec(name="carry", window=6, stride=3, lookahead=1, fill="propagated")
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide GPUs: what these commands say must not depend on the machine."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The error, which must be the one line that it is said in."""
        assert self.status == 2, self
        assert self.err.count("ptfan: error: ") == 1, self
        assert "Traceback" not in self.err
        assert self.out == ""
        line = self.err.splitlines()[-1]
        assert line.startswith("ptfan: error: ")
        return line

    @property
    def warnings(self) -> list[str]:
        """The lines that warn."""
        return [line for line in self.err.splitlines() if line.startswith("ptfan: warning: ")]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a network that gives back what flow carried into the holes."""
    pytest.importorskip("onnxruntime")
    return save_model(tmp_path_factory.mktemp("model") / "carry.onnx")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ptfan(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a function that runs a command line in the empty folder."""

    def run(*arguments: object) -> Result:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return Result(status, *capfd.readouterr())

    return run


@pytest.fixture
def inpaint(ptfan: Callable[..., Result], model: Path) -> Callable[..., Result]:
    """Return a function that runs `ptfan inpaint` with the small network."""
    return lambda *arguments: ptfan("inpaint", *arguments, "--model", model)


@pytest.fixture
def clip(folder: Path) -> Callable[..., Path]:
    """Return a function that writes a lossless clip of the moving pattern."""

    def write(
        name: str = "clip.mkv",
        frames: int = 8,
        *,
        codec: str = "ffv1",
        pixels: str = "yuv444p",
        size: tuple[int, int] = (WIDTH, HEIGHT),
        options: dict[str, str] | None = None,
        matrix: Sequence[int] | None = None,
        times: Sequence[int] | None = None,
    ) -> Path:
        path = folder / name
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(codec, rate=Fraction(25), options=options or {})
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            stream.codec_context.time_base = Fraction(1, 1000 if times else 25)
            if matrix:
                stream.set_display_matrix(matrix)
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(picture(index, *size), format="rgb24")
                frame.pts, frame.time_base = times[index] if times else index, stream.codec_context.time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def save_mask(folder: Path) -> Callable[..., Path]:
    """Return a function that writes a mask as a grey PNG."""

    def save(name: str = "mask.png", mask: NDArray[np.bool_] | None = None) -> Path:
        import cv2

        values = (hole() if mask is None else mask).astype(np.uint8) * 255
        assert cv2.imwrite(str(folder / name), values)
        return folder / name

    return save


@pytest.fixture
def images() -> Callable[[Path], list[Picture]]:
    """Return a function that reads all pictures of a video or a folder."""

    def read(path: Path) -> list[Picture]:
        with open_source(path) as source:
            return [sample.image for sample in source]

    return read
