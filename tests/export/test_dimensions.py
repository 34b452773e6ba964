"""Which dimensions are fixed."""

from __future__ import annotations

import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.spec import CLIP_INPUTS
from ptfan.export.dimensions import Dimensions


@pytest.mark.parametrize("size", [(433, 240), (432, 241), (0, 240), (432, -8), (4, 4)])
def test_sides_that_are_no_multiples_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=rf"^size is {size[0]}x{size[1]}, expected multiples of 8; .*pads[^\n]*$"):
        Dimensions(size=size)


@pytest.mark.parametrize("window", [0, -3])
def test_windows_of_nothing_are_refused(window: int) -> None:
    with pytest.raises(InputError, match=rf"^{window} frames or streams at a time, expected 1 or more$"):
        Dimensions(window)


def test_interface_shapes() -> None:
    assert Dimensions().for_onnx(3) == ["T", 3, "H", "W"]
    assert Dimensions(first="B").for_onnx(3) == ["B", 3, "H", "W"]
    assert Dimensions(frames=7).for_onnx(2) == [7, 2, "H", "W"]
    assert Dimensions(7, (432, 240)).for_onnx(1) == [7, 1, 240, 432]


def test_what_is_fixed_is_traced_as_it_is() -> None:
    assert Dimensions(7, (432, 240)).example() == (7, 240, 432)
    assert Dimensions(1, (8, 8)).for_torch() is None


def test_what_is_free_is_traced_with_sizes_that_nothing_takes_for_special() -> None:
    frames, height, width = Dimensions().example()
    assert frames > 1
    assert height // 8 > 1
    assert width // 8 > 1
    assert len({frames, height, width, height // 8, width // 8}) == 5
    shapes = Dimensions(frames=3).for_torch()
    assert shapes is not None
    assert [set(shape) for shape in shapes] == [{2, 3}] * len(CLIP_INPUTS)
