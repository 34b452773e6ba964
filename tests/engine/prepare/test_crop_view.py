from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ptfan.engine.frame import Frame
from ptfan.engine.prepare.crop import CropRules, plan_crops
from ptfan.engine.prepare.crop_view import CropInputs, CropView
from ptfan.engine.prepare.flow import DisFlow, smooth_completion
from ptfan.engine.prepare.stream_inputs import StreamInputs
from tests.engine.conftest import make_pan

WINDOW, BEFORE, LONGEST = 8, 3, 9
HOLE = np.zeros((48, 64), bool)
HOLE[20:30, 24:36] = True
FRAMES = [
    Frame(np.rint(image * 255).astype(np.uint8), HOLE) for image in make_pan(BEFORE + LONGEST + WINDOW, *HOLE.shape)
]
(CROP,) = plan_crops(HOLE, CropRules())


def flat(pictures: Any, confidences: Any, holes: Any) -> list[NDArray[np.float32]]:
    """Complete all holes with one colour, which a smooth completion would not find."""
    return [np.where(hole[..., None], np.float32(0.7), image) for image, hole in zip(pictures, holes, strict=True)]


def new_view() -> CropView:
    return CropView(CROP, 0, DisFlow(), smooth_completion, lambda: StreamInputs("propagated", flat))


def shown(view: CropView, number: int, ahead: int, lead: int | None) -> CropInputs:
    """Show a view the window of one kept frame that begins with a frame of that number."""
    keep = range(WINDOW - 1 - ahead, WINDOW - ahead)
    first = 0 if lead is None else max(0, keep.start - lead)
    return view.window(FRAMES[number : number + WINDOW], number, keep, first=first, beyond=False)


@settings(max_examples=25, deadline=None)
@given(pause=st.integers(1, LONGEST), ahead=st.integers(0, 4), lead=st.sampled_from([None, 1, 3]))
def test_after_a_pause_all_is_as_in_a_new_view(pause: int, ahead: int, lead: int | None) -> None:
    view = new_view()
    for number in range(BEFORE):
        shown(view, number, ahead, lead)
    again, expected = (shown(one, BEFORE + pause, ahead, lead) for one in (view, new_view()))
    assert again.first == expected.first == 0
    for found, wanted in ((again.arrays, expected.arrays), (again.whole(), expected.whole())):
        assert all(np.array_equal(found[name], array) for name, array in wanted.items())


def test_without_a_pause_it_goes_on() -> None:
    view = new_view()
    assert [shown(view, number, 2, 1).first for number in range(4)] == [0, 4, 4, 4]
