"""What is compared is fed alike, whatever its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import InputError, InputNotFoundError, ModelError
from ptfan.engine.frame import Frame
from ptfan.engine.models import shipped_models
from ptfan.engine.prepare.crop import CropRules
from ptfan.engine.prepare.preparer import Preparer, PreparerSettings
from ptfan.engine.runners.onnx_file import read_spec
from ptfan.engine.spec import ModelSpec
from ptfan.engine.verify.contest import Contestant, answers, find_reference, joint_spec


def mean_of_neighbours(inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """What the fake step model gives, for a whole clip."""
    frames = inputs["frames"]
    near = [frames[max(0, t - 1) : t + 2] for t in range(len(frames))]
    return np.stack([np.sum(some, axis=0) / np.float32(len(some)) for some in near]).astype(np.float32)


def contestant(path: str | Path, runner: Any) -> Any:
    """Let a fake runner be that of a file."""
    runner.path = Path(path)
    return Contestant(runner)


@pytest.mark.parametrize("window", [4, 7, 20])
def test_clip_and_step_form_answer_alike(runner: Callable, step_runner: Callable, pan: Callable, window: int) -> None:
    hole = np.zeros((48, 64), bool)
    hole[16:32, 20:40] = True
    preparer = Preparer(
        PreparerSettings(window=window, stride=window, rules=CropRules(), fill="propagated", scene_cuts=False)
    )
    pictures = [Frame((picture * 255).astype(np.uint8), hole, tag=t) for t, picture in enumerate(pan(11, 48, 64))]
    windows = [item for frame in pictures for item in preparer.push(frame)] + preparer.flush()
    clip = Contestant(runner(mean_of_neighbours))
    step = Contestant(step_runner(fill="propagated"))
    pairs = list(answers(clip, step, iter(windows)))
    assert [(ours.tag, theirs.tag) for ours, theirs in pairs] == [(t, t) for t in range(11)]
    for ours, theirs in pairs:
        (one,), (other,) = ours.patches, theirs.patches
        np.testing.assert_allclose(one.pixels, other.pixels, atol=1e-6)
        assert one.pixels.std() > 0


def test_both_are_fed_what_both_can_take(runner: Callable) -> None:
    ours = contestant("a", runner(size_multiple=8, fixed_window=9, window=9))
    theirs = contestant("b", runner(size_multiple=12, fixed_size=(48, 24)))
    spec = joint_spec(ours, theirs)
    assert (spec.size_multiple, spec.fixed_size, spec.fixed_window) == (24, (48, 24), 9)
    plan = contestant("a", runner(smallest_size=(64, 16), largest_size=(432, 240)))
    other = contestant("b", runner(smallest_size=(16, 64), largest_size=(240, 432)))
    spec = joint_spec(plan, other)
    assert (spec.smallest_size, spec.largest_size) == ((64, 64), (240, 240))
    assert joint_spec(plan, theirs).largest_size == joint_spec(theirs, plan).largest_size == (432, 240)


@pytest.mark.parametrize(
    ("ours", "theirs", "what"),
    [
        ({"fill": "zero"}, {"fill": "propagated"}, "takes holes filled as 'zero'"),
        ({"fixed_window": 6}, {"fixed_window": 5, "window": 5}, "takes the window 6 only, the reference 5"),
        ({"fixed_size": (64, 48)}, {"fixed_size": (64, 56)}, r"takes the size \(64, 48\) only"),
    ],
)
def test_what_cannot_be_fed_alike_is_refused(runner: Callable, ours: Any, theirs: Any, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        joint_spec(contestant("a", runner(**ours)), contestant("b", runner(**theirs)))


def test_a_file_is_not_compared_with_itself(runner: Callable, tmp_path: Path) -> None:
    one, same = contestant(tmp_path / "a", runner()), contestant(tmp_path / "b" / ".." / "a", runner())
    with pytest.raises(InputError, match="would be compared with itself"):
        joint_spec(one, same)
    joint_spec(one, contestant(tmp_path / "b", runner()))
    same.runner.backend = "another"
    joint_spec(one, same)


def test_the_reference_is_the_packages_own_unless_named(tmp_path: Path) -> None:
    spec = read_spec(shipped_models()["s-int8"])
    assert find_reference(spec, None) == shipped_models()["s"]
    (tmp_path / "mine.onnx").touch()
    assert find_reference(spec, tmp_path / "mine.onnx") == tmp_path / "mine.onnx"
    with pytest.raises(InputNotFoundError, match="none-such"):
        find_reference(spec, "none-such")
    with pytest.raises(InputError, match="name one with --against"):
        find_reference(ModelSpec(name="mine", window=6, stride=3, lookahead=1), None)


@pytest.mark.parametrize("weights", ["0" * 64, ""])
def test_a_model_with_weights_of_its_own_is_not_taken_for_the_packages(weights: str) -> None:
    spec = replace(read_spec(shipped_models()["s"]), weights_sha256=weights)
    with pytest.raises(InputError, match=r"model s: has other weights than .* --against CHECKPOINT"):
        find_reference(spec, None)
    assert find_reference(spec, "s") == shipped_models()["s"]
