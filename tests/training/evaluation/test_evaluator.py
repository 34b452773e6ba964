from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.frame import Mask
from ptfan.engine.prepare.flow import FlowPair, complete_flows
from ptfan.training.data.pixels import Pixels
from ptfan.training.evaluation import task as task_module
from ptfan.training.evaluation.evaluator import Evaluator
from ptfan.training.evaluation.journal import Journal
from ptfan.training.evaluation.measures import Weights, choose_measures
from ptfan.training.evaluation.methods import Method
from ptfan.training.evaluation.pictures import PictureStore
from ptfan.training.evaluation.protocols import open_benchmark


class Counted:
    """A method that counts its calls."""

    def __init__(self, colour: int | None) -> None:
        self.colour, self.calls = colour, 0

    def __call__(self, images: Sequence[Pixels], holes: Sequence[Mask]) -> list[Pixels]:
        self.calls += 1
        if self.colour is None:
            return list(images)
        return [np.where(h[..., None], np.uint8(self.colour), i) for i, h in zip(images, holes, strict=True)]


def evaluator(
    clips: Path, folder: Path, *methods: Method, kinds: tuple[str, ...] = ("box",), frames: int = 3
) -> Evaluator:
    folder.mkdir(exist_ok=True)
    benchmark = open_benchmark(clips, "folder", kinds=kinds, frames=frames, seed=0, ratio=35)
    measures = choose_measures(["psnr", "warp"], Weights())
    return Evaluator(benchmark, methods, measures, Journal(folder), PictureStore(folder / "frames"))


def test_who_knows_the_truth_scores_best(clips: Path, tmp_path: Path) -> None:
    methods = [Method("oracle", "oracle", Counted(None)), Method("black", "black", Counted(0))]
    scores = evaluator(clips, tmp_path, *methods).run()
    assert [(score.clip, score.method) for score in scores] == [
        (clip, method) for clip in ("clip0", "clip1") for method in ("oracle", "black")
    ]
    oracle, black = scores[:2]
    assert oracle.values["psnr_hole"] == np.inf
    assert black.values["psnr_hole"] < 15 < black.values["psnr"]
    assert oracle.values["seconds"] >= 0


def test_what_is_there_is_not_computed_again(clips: Path, tmp_path: Path) -> None:
    first = Counted(0)
    scores = evaluator(clips, tmp_path, Method("black", "1", first)).run()
    assert first.calls == 2
    assert evaluator(clips, tmp_path, Method("black", "1", first)).run() == scores
    assert first.calls == 2
    other = Counted(255)  # the same name, but not the same any more
    again = evaluator(clips, tmp_path, Method("black", "2", other)).run()
    assert other.calls == 2
    assert [score.key for score in again] != [score.key for score in scores]
    evaluator(clips, tmp_path, Method("black", "1", first), frames=4).run()
    evaluator(clips, tmp_path, Method("black", "1", first), kinds=("box", "text")).run()
    assert first.calls == 2 + 2 + 2


def test_other_masks_are_evaluated_anew(clips: Path, tmp_path: Path) -> None:
    method, copy = Counted(0), Path(shutil.copytree(clips, tmp_path / "copy"))
    evaluator(copy, tmp_path / "out", Method("black", "1", method), kinds=("object",)).run()
    assert method.calls == 2
    for path in (copy / "clip0_mask").iterdir():
        cv2.imwrite(str(path), np.roll(np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)), 5, axis=1))
    evaluator(copy, tmp_path / "out", Method("black", "1", method), kinds=("object",)).run()
    assert method.calls == 3  # clip 0's object lies on clip 1


def test_a_stop_loses_nothing_that_was_finished(clips: Path, tmp_path: Path) -> None:
    done, broken = Counted(0), Counted(0)

    def stop(images: Sequence[Pixels], holes: Sequence[Mask]) -> list[Pixels]:
        if broken.calls:
            raise KeyboardInterrupt
        return broken(images, holes)

    with pytest.raises(KeyboardInterrupt):
        evaluator(clips, tmp_path, Method("done", "1", done), Method("stopped", "2", stop)).run()
    assert (done.calls, broken.calls) == (2, 1)
    rest = Counted(0)
    scores = evaluator(clips, tmp_path, Method("done", "1", done), Method("stopped", "2", rest)).run()
    assert (done.calls, rest.calls, len(scores)) == (2, 1, 4)


def test_the_flow_of_a_clip_is_estimated_once(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*given: Any) -> list[FlowPair]:
        calls.append(given)
        return complete_flows(*given)

    monkeypatch.setattr(task_module, "complete_flows", counted)
    methods = [Method(str(value), str(value), Counted(value)) for value in (0, 255)]
    evaluator(clips, tmp_path, *methods, kinds=("box", "text", "object")).run()
    assert len(calls) == 2


@pytest.mark.parametrize("names", [("black", "black"), ("truth",), ("input",)])
def test_one_name_stands_for_one_thing(clips: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    methods = [Method(name, str(number), Counted(0)) for number, name in enumerate(names)]
    with pytest.raises(InputError, match=f"evaluation: {names[0]} is taken, .*; --model NAME=FILE"):
        evaluator(clips, tmp_path, *methods)


def test_a_method_must_keep_the_number_of_frames(clips: Path, tmp_path: Path) -> None:
    lossy = Method("lossy", "lossy", lambda images, holes: list(images[1:]))
    with pytest.raises(ModelError, match="method lossy: returned 2 frames for 3"):
        evaluator(clips, tmp_path, lossy).run()
