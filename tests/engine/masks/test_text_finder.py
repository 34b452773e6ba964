"""Text in boxes of frames: what the network is shown, and what is made of its scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptfan.engine.errors import ModelError
from ptfan.engine.frame import Box, Image
from ptfan.engine.masks.shaping import grow_hole
from ptfan.engine.masks.text_finder import MULTIPLE, TextFinder
from ptfan.engine.runners.runner import Arrays
from tests.engine.fake_helper import FakeHelper


def white(inputs: Arrays) -> dict[str, NDArray[Any]]:
    """Take for text what is nearly white."""
    return {"score": inputs["picture"].min(axis=1, keepdims=True) - 0.9}


def scene(height: int = 96, width: int = 160, dtype: Any = np.uint8) -> Image:
    """Return a grey picture with two white bars, at rows 20 and 70."""
    image = np.full((height, width, 3), np.iinfo(dtype).max // 2, dtype)
    for row in (20, 70):
        image[row : row + 4, 30:90] = np.iinfo(dtype).max
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_text_in_the_boxes_is_found_and_no_other(dtype: Any) -> None:
    image, network = scene(dtype=dtype), FakeHelper("text", white)
    box = Box(10, 60, 60, 30)
    found = TextFinder(network).find(image, [box], 0)
    expected = np.zeros((96, 160), bool)
    expected[box.slices] = grow_hole(image.min(axis=2) == np.iinfo(dtype).max, 1)[box.slices]
    assert np.array_equal(found, expected)
    assert expected.any()


def test_each_box_is_looked_at_by_itself() -> None:
    network = FakeHelper("text", white)
    boxes = [Box(20, 10, 80, 20), Box(20, 60, 80, 20)]
    both = TextFinder(network).find(scene(), boxes, 0)
    alone = [TextFinder(network).find(scene(), [box], 0) for box in boxes]
    assert np.array_equal(both, alone[0] | alone[1])
    assert both[21, 50]
    assert both[71, 50]


@pytest.mark.parametrize("box", [Box(0, 0, 160, 96), Box(159, 95, 1, 1), Box(3, 5, 33, 17)])
def test_the_network_is_shown_its_multiple(box: Box) -> None:
    network = FakeHelper("text", white)
    TextFinder(network).find(scene(), [box], 0)
    shown = network.calls[0]["picture"]
    assert shown.dtype == np.float32
    assert shown.shape[:2] == (1, 3)
    assert not any(side % MULTIPLE for side in shown.shape[2:])
    assert 0 <= shown.min() <= shown.max() <= 1


def test_large_frames_are_reduced() -> None:
    network = FakeHelper("text", white)
    image = np.repeat(np.repeat(scene(240, 320), 4, axis=0), 4, axis=1)  # 960 rows: twice as many as it is shown
    box = Box(40, 40, 400, 120)
    found = TextFinder(network).find(image, [box], 0)
    assert network.calls[0]["picture"].shape[2:] == (96, 240)  # half of the box with 32 pixels round it, padded
    assert found[80:96, 120:360].all()
    assert not found[:76].any()
    assert not found[100:].any()


def test_the_frame_before_is_shown_where_there_is_one() -> None:
    network = FakeHelper("text", white)
    finder, dark = TextFinder(network), scene() // 2
    for index, image in ((0, scene()), (1, dark), (3, scene())):
        finder.find(image, [Box(0, 0, 160, 96)], index)
    first, second, third = network.calls
    assert np.array_equal(first["before"], first["picture"])
    assert np.array_equal(second["before"], first["picture"])
    assert np.array_equal(third["before"], third["picture"])  # frame 2 was left out


def test_a_frame_of_another_size_counts_for_none() -> None:
    network = FakeHelper("text", white)
    finder = TextFinder(network)
    finder.find(scene(), [Box(0, 0, 96, 96)], 0)
    finder.find(scene(112, 176), [Box(0, 0, 112, 112)], 1)
    assert np.array_equal(network.calls[1]["before"], network.calls[1]["picture"])


def test_another_network_is_refused() -> None:
    with pytest.raises(ModelError, match="of the flow form, expected text"):
        TextFinder(FakeHelper("flow", white))
