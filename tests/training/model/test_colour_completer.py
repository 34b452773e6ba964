from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ptfan.engine.errors import ModelError
from ptfan.training.model.colour_completer import ColourCompleter, ColourCompleterConfig

SMALL = ColourCompleterConfig(widths=(4, 8, 8), blocks=(1, 1, 2))


def given(pictures: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    hole = torch.zeros(pictures, 1, 16, 24)
    hole[..., 4:12, 8:16] = 1
    return torch.rand(pictures, 3, 16, 24, generator=generator), 1 - hole, hole


def trained(seed: int = 0) -> ColourCompleter:
    """Return a network whose head is not zero any more."""
    torch.manual_seed(seed)
    network = ColourCompleter(SMALL)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval()


def test_a_fresh_network_leaves_the_picture_alone() -> None:
    picture, confidence, hole = given(2)
    assert torch.equal(ColourCompleter(SMALL)(picture, confidence, hole), picture)


@torch.no_grad()
def test_known_colours_stay() -> None:
    picture, confidence, hole = given(2)
    answer = trained()(picture, confidence, hole)
    known = (hole == 0).expand_as(picture)
    assert torch.equal(answer[known], picture[known])
    assert not torch.allclose(answer[~known], picture[~known], atol=1e-3)


@torch.no_grad()
def test_carried_colours_are_left_alone_the_more_the_surer_they_are() -> None:
    network = trained()
    picture, _, hole = given(1)
    moved = []
    for sure in (0.0, 0.4, 0.8, 1.0):
        answer = network(picture, 1 - hole * (1 - sure), hole)
        moved.append((answer - picture).abs().sum().item())
    assert moved[0] > moved[1] > moved[2] == moved[3] == 0


@torch.no_grad()
def test_brightness_is_only_added_and_contrast_nearly_multiplied() -> None:
    network = trained()
    picture, confidence, hole = given(2)
    plain = network(picture, confidence, hole)
    torch.testing.assert_close(network(picture + 0.3, confidence, hole), plain + 0.3, atol=1e-4, rtol=0)
    # What keeps a flat picture's noise from being blown up makes a little difference.
    torch.testing.assert_close(network(2 * picture, confidence, hole), 2 * plain, atol=0.1, rtol=0)


@torch.no_grad()
def test_pictures_know_nothing_of_each_other() -> None:
    network = trained()
    one, other = given(1), given(1, seed=1)
    both = network(*(torch.cat(pair) for pair in zip(one, other, strict=True)))
    torch.testing.assert_close(both[:1], network(*one))
    torch.testing.assert_close(both[1:], network(*other))


def test_the_multiple_of_sizes_is_the_coarsest_pixel() -> None:
    assert ColourCompleter(SMALL).multiple == 4
    assert ColourCompleter().multiple == 16


def test_configs_that_make_no_sense_are_refused() -> None:
    assert ColourCompleterConfig.from_json(SMALL.to_json()) == SMALL
    wrong = (
        '{"widths": [8, 8]}',
        '{"widths": [8, 0], "blocks": [1, 1]}',
        '{"widths": [8, 8], "blocks": [1, -1]}',
        '{"width": [3]}',
        "no json",
        "[1]",
    )
    for text in wrong:
        with pytest.raises(ModelError, match="colour completer config"):
            ColourCompleterConfig.from_json(text)
