from __future__ import annotations

import time
from pathlib import Path

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ptfan.training.data.pixels import HOLE_COLOUR
from ptfan.training.runs.batch import Batch
from ptfan.training.runs.board import Board, picture_strip


def batch() -> Batch:
    hole = torch.zeros(3, 1, 4, 5)
    hole[1, 0, 1, 2] = 1
    return Batch({"hole": hole}, torch.full((3, 3, 4, 5), 0.5), 1, 0)


def test_the_strip_is_input_fill_and_truth() -> None:
    strip = picture_strip(batch(), torch.full((3, 3, 4, 5), 1.5))
    assert strip.shape == (3, 4, 15)
    marked, filled, truth = strip.split(5, dim=2)
    torch.testing.assert_close(marked[:, 1, 2], torch.tensor(HOLE_COLOUR) / 255)
    assert filled[:, 1, 2].tolist() == [1.0, 1.0, 1.0]  # clamped
    for part in (marked, filled):
        part[:, 1, 2] = 0.5
    assert torch.equal(marked, truth)
    assert torch.equal(filled, truth)
    assert bool((truth == 0.5).all())


def test_tensorboard_reads_it_and_a_resumed_run_passes_over_lost_steps(tmp_path: Path) -> None:
    first = Board(tmp_path, 0)
    for step in (1, 2, 3):
        first.scalars({"step": step, "loss": step / 2})
    first.picture(picture_strip(batch(), torch.zeros(3, 3, 4, 5)), 2)
    first.close()
    time.sleep(
        1.1
    )  # TensorBoard reads files in the order of their names, which begin with the second they were made in
    second = Board(tmp_path, 2)
    second.scalars({"step": 3, "loss": 9.0})
    second.close()
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(event.step, event.value) for event in found.Scalars("train/loss")] == [(1, 0.5), (2, 1.0), (3, 9.0)]
    (image,) = found.Images("sample")
    assert (image.step, image.width, image.height) == (2, 15, 4)
