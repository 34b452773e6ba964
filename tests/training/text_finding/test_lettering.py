from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path

from ptfan.training.text_finding.fonts import Fonts, find_fonts
from ptfan.training.text_finding.lettering import Caption, draw_caption

SIZE = (160, 64)


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    return find_fonts(Path(get_data_path()) / "fonts" / "ttf")


def drawn(fonts: Fonts, seed: int) -> Caption:
    return draw_caption(np.random.default_rng(seed), fonts, SIZE, (9.0, 40.0))


@pytest.mark.parametrize("seed", range(30))
def test_captions_cover_some_of_the_picture_and_change_nothing_else(fonts: Fonts, seed: int) -> None:
    caption = drawn(fonts, seed)
    assert caption.paint.dtype == caption.cover.dtype == np.float32
    assert caption.cover.shape == SIZE[::-1]
    assert 0 <= caption.cover.min() <= caption.cover.max() <= 1.0001
    assert (caption.paint <= caption.cover[..., None] + 1e-4).all()
    picture = np.random.default_rng(seed).random((*SIZE[::-1], 3), np.float32)
    with_caption = caption.over(picture)
    assert np.array_equal(with_caption[caption.cover == 0], picture[caption.cover == 0])
    assert caption.mask.any()
    assert set(np.unique(caption.mask)) <= {0.0, 1.0}


def test_the_same_seed_draws_the_same_and_others_do_not(fonts: Fonts) -> None:
    assert np.array_equal(drawn(fonts, 1).paint, drawn(fonts, 1).paint)
    assert not np.array_equal(drawn(fonts, 1).cover, drawn(fonts, 2).cover)


def test_what_lies_below_shines_through_as_far_as_it_is_not_covered() -> None:
    paint, cover = np.full((2, 2, 3), 0.25, np.float32), np.full((2, 2), 0.5, np.float32)
    np.testing.assert_allclose(Caption(paint, cover).over(np.ones((2, 2, 3), np.float32)), 0.75)


def test_a_caption_is_moved(fonts: Fonts) -> None:
    caption = drawn(fonts, 3)
    moved = caption.moved(5, 2)
    np.testing.assert_allclose(moved.cover[2:, 5:], caption.cover[:-2, :-5], atol=1e-6)
    np.testing.assert_allclose(moved.paint[2:, 5:], caption.paint[:-2, :-5], atol=1e-6)
