from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.prepare.window import Windower, WindowOf


def windows_of(windower: Windower[int], items: range) -> list[WindowOf[int]]:
    found = [window for item in items if (window := windower.push(item)) is not None]
    last = windower.flush()
    return found + ([last] if last else [])


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int, int]:
    window = draw(st.integers(1, 20))
    return draw(st.integers(0, 70)), window, draw(st.integers(1, window))


@settings(max_examples=150, deadline=None)
@given(shapes())
def test_keeps_every_item_once_and_in_order(shape: tuple[int, int, int]) -> None:
    count, window, stride = shape
    found = windows_of(Windower(window, stride), range(count))
    assert [part.items[t] for part in found for t in part.keep] == list(range(count))


@settings(max_examples=150, deadline=None)
@given(shapes())
def test_windows_are_consecutive_and_of_full_length_where_the_stream_allows(shape: tuple[int, int, int]) -> None:
    count, window, stride = shape
    for part in windows_of(Windower(window, stride), range(count)):
        first = part.items[0]
        assert part.items == tuple(range(first, first + min(window, count)))
        assert len(part.keep) > 0


@settings(max_examples=80, deadline=None)
@given(shapes())
def test_windows_inside_a_stream_move_by_the_stride_and_keep_their_middle(shape: tuple[int, int, int]) -> None:
    count, window, stride = shape
    margin = (window - stride) // 2
    inner = windows_of(Windower(window, stride), range(count))[1:-1]
    for number, part in enumerate(inner, start=1):
        assert part.items[0] == number * stride
        assert part.keep == range(window - margin - stride, window - margin)


@settings(max_examples=80, deadline=None)
@given(shapes())
def test_an_item_waits_for_less_than_a_window(shape: tuple[int, int, int]) -> None:
    count, window, stride = shape
    windower: Windower[int] = Windower(window, stride)
    kept = 0
    for item in range(count):
        part = windower.push(item)
        kept += len(part.keep) if part else 0
        assert item + 1 - kept < window
        assert len(windower._items) <= window


def test_the_published_windows() -> None:
    found = windows_of(Windower(15, 9), range(42))
    assert [part.items[0] for part in found] == [0, 9, 18, 27, 27]
    assert [part.keep for part in found[:4]] == [range(12), range(3, 12), range(3, 12), range(3, 12)]
    assert found[4].keep == range(12, 15)


def test_a_stream_shorter_than_the_window_is_one_window() -> None:
    assert windows_of(Windower(15, 9), range(4)) == [WindowOf((0, 1, 2, 3), range(4))]
    assert windows_of(Windower(15, 9), range(0)) == []


def test_flush_starts_afresh() -> None:
    windower: Windower[int] = Windower(6, 3)
    first = windows_of(windower, range(14))
    assert windows_of(windower, range(14)) == first
    assert windower.flush() is None


@pytest.mark.parametrize(("window", "stride"), [(5, 0), (5, 6), (0, 0)])
def test_refuses_a_stride_outside_the_window(window: int, stride: int) -> None:
    with pytest.raises(InputError, match="expected 1 to window"):
        Windower(window, stride)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 40), st.integers(0, 6), st.integers(0, 6), st.integers(1, 4))
def test_with_a_lookahead_no_item_waits_longer_than_for_that(count: int, before: int, ahead: int, stride: int) -> None:
    windower: Windower[int] = Windower(before + stride + ahead, stride, ahead)
    done: list[int] = []
    for item in range(count):
        part = windower.push(item)
        if part:
            assert part.items[-1] == item
            assert len(part.items) - part.keep.stop == ahead
            done += [part.items[t] for t in part.keep]
        assert item - len(done) < stride + ahead
    last = windower.flush()
    done += [last.items[t] for t in last.keep] if last else []
    assert done == list(range(count))


@pytest.mark.parametrize("ahead", [-1, 3])
def test_a_window_must_have_room_for_its_lookahead(ahead: int) -> None:
    with pytest.raises(InputError, match=f"frames ahead are {ahead}, expected 0 to 2 for 2 of 4"):
        Windower(4, 2, ahead)
