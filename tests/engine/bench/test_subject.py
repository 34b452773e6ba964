from __future__ import annotations

from collections.abc import Callable

import pytest

from ptfan.engine.bench.subject import Subject, network_label
from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.models import TEXT_MODEL, find_model
from ptfan.engine.runners.choice import open_runner

pytest.importorskip("onnxruntime")


@pytest.mark.parametrize(("model", "streams", "kept"), [("s", 1, 1), ("s", 2, 2), ("s-window", 1, 24)])
def test_a_call_finishes_the_frames_of_its_form(model: str, streams: int, kept: int) -> None:
    with open_runner(find_model(model), threads=1) as runner:
        subject = Subject(model, runner, (32, 24), streams=streams)
        assert subject.call() > 0
        assert subject.kept == kept
        assert subject.label.startswith(f"{model}, 32x24")


def test_what_does_not_fit_is_refused() -> None:
    with open_runner(find_model("s")) as s, open_runner(find_model("s-window")) as windows:
        with pytest.raises(InputError, match="size is 30x24, s takes multiples of 8"):
            Subject("s", s, (30, 24))
        with pytest.raises(InputError, match="2 streams: s-window is of the clip form"):
            Subject("s-window", windows, (32, 24), streams=2)
        with pytest.raises(InputError, match="window of 9: s is of the step form"):
            Subject("s", s, (32, 24), window=9)


def test_a_helper_is_refused() -> None:
    with open_runner(TEXT_MODEL) as text, pytest.raises(ModelError, match="of the text form, expected clip or step"):
        Subject("text", text, (32, 32))


@pytest.mark.parametrize(("length", "windows"), [(1, [1]), (6, [6, 6]), (7, [6, 6]), (20, [6] * 6)])
def test_a_clip_is_shown_in_the_windows_of_the_runtime(runner: Callable, length: int, windows: list[int]) -> None:
    fake = runner(window=6, stride=3)
    Subject("fake", fake, (32, 24)).clip(length)
    assert [len(call["frames"]) for call in fake.calls] == windows


@pytest.mark.parametrize(("length", "windows"), [(1, 1), (6, 2), (20, 6)])
def test_a_fixed_window_is_always_whole(runner: Callable, length: int, windows: int) -> None:
    fake = runner(window=6, stride=3, fixed_window=6)
    Subject("fake", fake, (32, 24)).clip(length)
    assert [len(call["frames"]) for call in fake.calls] == [6] * windows


def test_a_stepped_clip_is_flushed(step_runner: Callable) -> None:
    fake = step_runner()
    Subject("fake", fake, (32, 24), streams=2).clip(5)
    assert [call["live"][:, 0].tolist() for call in fake.calls] == [[1, 1]] * 5 + [[0, 0]]


def test_a_label_tells_what_is_not_usual() -> None:
    assert network_label("mine.onnx", (64, 48)) == "mine.onnx, 64x48"
    assert network_label("s", (64, 48), streams=2) == "s, 64x48, 2 streams"
    assert network_label("s-window", (64, 48), window=9) == "s-window, 64x48, windows of 9"
