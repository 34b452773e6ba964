from __future__ import annotations

from dataclasses import replace

import pytest

from ptfan.engine.errors import InputError
from ptfan.training.ablation.rows import BUDGET, REFERENCE, ROWS, TRAININGS, choose_rows, trained_with
from ptfan.training.model import Generator


def test_every_row_has_a_name_and_a_training_of_its_own_kind() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len({(row.training, row.flow, row.window) for row in ROWS}) == len(ROWS)
    assert {row.training for row in ROWS} == set(TRAININGS)
    questions = {"alignment", "gate", "flow in use", "flow in training", "window", "training masks"}
    assert questions <= {row.question for row in ROWS}


@pytest.mark.parametrize("training", TRAININGS)
def test_every_training_is_one_that_can_be_built(training: str) -> None:
    config = trained_with(BUDGET, training)
    Generator(config.architecture())
    assert (config == BUDGET) is (training == "reference")
    assert (config.steps, config.batch, config.seed, config.losses) == (
        BUDGET.steps, BUDGET.batch, BUDGET.seed, BUDGET.losses,
    )  # fmt: skip


def test_a_training_differs_in_what_it_says_alone() -> None:
    base = replace(BUDGET, steps=7, changes={"decoder_fold": 8})
    assert trained_with(base, "no-gate") == replace(base, changes={"decoder_fold": 8, "gated": False})
    masks = trained_with(base, "stationary").sample.masks
    assert (masks.strokes, masks.boxes, masks.text, masks.still) == (0.0, 1.0, 1.0, 1.0)
    assert trained_with(base, "last-stage").architecture().aligned_parts == ("stage4",)


def test_the_reference_is_always_there() -> None:
    assert choose_rows([]) == list(ROWS)
    assert [row.name for row in choose_rows(["window-8", "shift"])] == ["reference", "shift", "window-8"]
    assert choose_rows(["reference"]) == [REFERENCE]
    with pytest.raises(InputError, match="no row is called 'moon', expected some of reference, shift"):
        choose_rows(["shift", "moon"])
