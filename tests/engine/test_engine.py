"""Streams that share a network give what each gives alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, TimeoutError
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.demo import DEMO_CLIP
from ptfan.engine.engine import Engine
from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.frame import Frame
from ptfan.engine.inpainter import Inpainter, InpaintSettings
from ptfan.engine.media import open_source
from ptfan.engine.runners.ort.ort_runner import OrtRunner

pytest.importorskip("onnxruntime")

SETTINGS = InpaintSettings(crop=False, threads=1, flow_completion="smooth")
Pictures = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def images() -> Pictures:
    with open_source(DEMO_CLIP) as source:
        return [sample.image[::4, ::4].copy() for sample, _ in zip(source, range(16), strict=False)]


def frames(images: Pictures, left: int, *, bare: range = range(0)) -> list[Frame]:
    """Return frames with a box in them, but for some that have none."""
    found = []
    for t, image in enumerate(images):
        hole = np.zeros(image.shape[:2], bool)
        hole[20:40, left : left + 24] = t not in bare
        found.append(Frame(image, hole))
    return found


def filled(inpainter: Inpainter, clip: list[Frame]) -> Pictures:
    done = [item for frame in clip for item in inpainter.push(frame)] + inpainter.flush()
    return [item.composite() for item in done]


@pytest.mark.parametrize("model", ["s-live", "s-soon"])
@pytest.mark.parametrize("patience", [None, 0.0])
def test_two_streams_give_what_each_gives_alone(images: Pictures, model: str, patience: float | None) -> None:
    clips = [frames(images, 30), frames(images[3:12], 90, bare=range(2, 4))]
    alone = []
    for clip in clips:
        with Inpainter(model, settings=SETTINGS) as inpainter:
            alone.append(filled(inpainter, clip))
    with Engine(model, streams=2, patience=patience, settings=SETTINGS) as engine:

        def serve(clip: list[Frame]) -> Pictures:
            with engine.open_stream() as stream:
                return filled(stream, clip)

        with ThreadPoolExecutor(2) as threads:
            together = list(threads.map(serve, clips))
    for expected, found in zip(alone, together, strict=True):
        assert len(found) == len(expected)
        for picture, wanted in zip(found, expected, strict=True):
            # A batch may be summed in another order: the last digit may round to the other level.
            assert np.abs(picture.astype(int) - wanted.astype(int)).max() <= 1


def test_streams_come_and_go(images: Pictures) -> None:
    clip = frames(images[:4], 40)
    with Engine("s-live", streams=1, settings=SETTINGS) as engine:
        with engine.open_stream() as first, engine.open_stream() as second:  # the second gets a batch of its own
            for frame in clip:
                (one,), (other,) = first.push(frame), second.push(frame)
                assert np.array_equal(one.composite(), other.composite())
        with engine.open_stream() as third:
            assert np.array_equal(filled(third, clip)[0], filled(third, clip)[0])


def test_an_engine_that_is_closed_holds_nobody_up(images: Pictures) -> None:
    frame = frames(images[:1], 40)[0]
    with ThreadPoolExecutor(1) as threads, Engine("s-live", streams=2, settings=SETTINGS) as engine:
        late, stream = engine.open_stream(), engine.open_stream()
        late.push(frame)
        waiting = threads.submit(stream.push, frame)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        engine.close()
        with pytest.raises(InputError, match="engine is closed; open another one"):
            waiting.result(30)
        for use in (engine.open_stream, partial(late.push, frame), partial(stream.push, frame)):
            with pytest.raises(InputError, match="engine is closed"):
                use()
        for opened in (late, stream):
            opened.close()


def test_what_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ModelError, match="s-window is of the clip form, expected step"):
        Engine("s-window", streams=2)
    with pytest.raises(InputError, match="streams is 0, expected a whole number, 1 or more"):
        Engine("s-live", streams=0)
    with pytest.raises(InputError, match="patience is -1"):
        Engine("s-live", streams=2, patience=-1)


def test_one_stream_s_part_of_a_value_is_copied(images: Pictures) -> None:
    from ptfan.engine.models import find_model

    with OrtRunner(find_model("s-live"), threads=1) as runner:
        for precision in ("fp32", "fp16"):
            source, into = (runner.allocate((3, 2, 4, 4), precision) for _ in range(2))
            values = np.arange(96).reshape(3, 2, 4, 4).astype(source.numpy().dtype)
            source.update_inplace(values)
            runner.copy_stream(source, into, 1)
            assert np.array_equal(into.numpy()[1], values[1])
            assert not into.numpy()[[0, 2]].any()
