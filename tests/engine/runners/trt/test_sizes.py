from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.errors import InputError, ModelError
from ptfan.engine.runners.trt.sizes import Extent, SizeRange
from ptfan.engine.spec import CLIP_INPUTS, ModelSpec, StateSpec
from ptfan.engine.typed_json import from_object

CLIP = ModelSpec(name="clip", window=6, stride=3, lookahead=1)
STEP = replace(
    CLIP,
    form="step",
    carried=(StateSpec(name="past", channels=8, size=4, delays=(1, 3), precision="fp16"),),
    lookahead=2,
)


def test_what_is_taken_where_nothing_is_asked_for() -> None:
    assert SizeRange.of(CLIP) == SizeRange(Extent(1, 64, 64), Extent(6, 432, 240), Extent(6, 864, 480))
    assert SizeRange.of(STEP) == SizeRange(Extent(1, 64, 64), Extent(1, 432, 240), Extent(1, 864, 480))
    small = SizeRange.of(replace(CLIP, working_size=(48, 32)))
    assert small.least == (1, 48, 32)


def test_what_is_fixed_in_the_graph_stays() -> None:
    spec = replace(CLIP, fixed_size=(64, 48), fixed_window=6)
    sizes = SizeRange.of(spec)
    assert set(sizes.shapes(spec)["hole"]) == {(6, 1, 48, 64)}
    assert sizes.options(spec) == []
    with pytest.raises(ModelError, match=r"takes a size of \(64, 48\) alone, \(432, 240\) is asked for"):
        SizeRange.of(spec, most=(432, 240))
    with pytest.raises(ModelError, match="takes frames of 6 alone, 4 is asked for"):
        SizeRange.of(spec, frames=4)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"usual": (100, 96)}, "size is 100x96, expected multiples of 8"),
        ({"most": (64, 240)}, "width of 64, 432 and 64: expected the least, the usual and the most"),
        ({"least": (440, 64)}, "width of 440, 432 and 864"),
    ],
)
def test_sizes_that_cannot_be(asked: dict[str, tuple[int, int]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        SizeRange.of(CLIP, least=asked.get("least"), usual=asked.get("usual"), most=asked.get("most"))


def test_every_input_has_its_shapes() -> None:
    shapes = SizeRange.of(STEP, most=(880, 480), frames=2).shapes(STEP)
    assert set(shapes) == {*CLIP_INPUTS, "live", "past.1", "past.3"}
    assert shapes["flow_forward"] == ((1, 2, 64, 64), (2, 2, 240, 432), (2, 2, 480, 880))
    assert shapes["live"] == ((1, 4), (2, 4), (2, 4))
    assert shapes["past.3"] == ((1, 8, 16, 16), (2, 8, 60, 108), (2, 8, 120, 220))


sides = st.integers(1, 20).map(lambda count: 8 * count)


@given(
    st.lists(st.tuples(st.integers(1, 9), sides, sides), min_size=3, max_size=3),
    st.tuples(st.integers(1, 9), sides, sides),
)
def test_a_range_holds_what_lies_between_its_ends(
    ends: list[tuple[int, int, int]], probe: tuple[int, int, int]
) -> None:
    columns = [sorted(column) for column in zip(*ends, strict=True)]
    sizes = SizeRange(*(Extent(*(column[place] for column in columns)) for place in range(3)))
    assert (Extent(*probe) in sizes) == all(
        low <= at <= high for at, (low, _, high) in zip(probe, columns, strict=True)
    )
    assert from_object(SizeRange, json.loads(json.dumps(asdict(sizes))), "sizes") == sizes


def test_the_options_give_the_sizes_again() -> None:
    sizes = SizeRange.of(CLIP, least=(32, 16), usual=(64, 48), most=(128, 80), frames=5)
    assert " ".join(sizes.options(CLIP)) == "--min 32x16 --opt 64x48 --max 128x80 --frames 5"
