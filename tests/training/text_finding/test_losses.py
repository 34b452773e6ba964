from __future__ import annotations

import torch

from ptfan.training.text_finding.losses import TextBatch, text_losses


def batch() -> TextBatch:
    """Return a picture of 4x4 pixels, a quarter of it text."""
    target = torch.zeros(1, 1, 4, 4)
    target[..., 0, :] = 1
    return TextBatch(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4), target)


def test_a_right_answer_costs_nothing_and_a_wrong_one_much() -> None:
    right = 40 * (batch().target - 0.5)
    values = text_losses(right, batch())
    assert values["loss"] < 1e-6
    assert values["found"] == values["text"] == values["taken"] == 0.25
    wrong = text_losses(-right, batch())
    assert wrong["loss"] > 10
    assert wrong["loss"] == wrong["entropy"] + wrong["apart"]


def test_what_is_missed_counts_more_than_what_is_taken() -> None:
    missed, taken = 8 * (batch().target - 0.5), 8 * (batch().target - 0.5)
    missed[0, 0, 0, 0], taken[0, 0, 1, 0] = -4, 4
    assert text_losses(missed, batch())["loss"] > text_losses(taken, batch())["loss"]


def test_the_shares_are_of_all_pixels() -> None:
    score = torch.full((1, 1, 4, 4), -1.0)
    score[..., 0, :2] = 1
    score[..., 1, :4] = 1
    values = text_losses(score, batch())
    assert (values["found"].item(), values["text"].item(), values["taken"].item()) == (2 / 16, 4 / 16, 6 / 16)
