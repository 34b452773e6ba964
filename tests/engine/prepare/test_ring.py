from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptfan.engine.errors import InputError
from ptfan.engine.prepare.ring import RingBuffer

OPERATIONS = st.lists(st.one_of(st.integers(), st.just("clear")), max_size=40)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 7), OPERATIONS)
def test_behaves_like_a_bounded_deque(capacity: int, operations: list[object]) -> None:
    ring: RingBuffer[object] = RingBuffer(capacity)
    model: deque[object] = deque(maxlen=capacity)
    for operation in operations:
        if operation == "clear":
            ring.clear()
            model.clear()
        else:
            ring.push(operation)
            model.append(operation)
        assert list(ring) == list(model)
        assert len(ring) == len(model)
        assert ring.full == (len(model) == capacity)
        assert ring.capacity == capacity
        for index in range(-len(model), len(model)):
            assert ring[index] == model[index]
        for index in (len(model), -len(model) - 1):
            with pytest.raises(IndexError, match="index"):
                ring[index]


def test_slots_are_overwritten_in_place() -> None:
    ring: RingBuffer[int] = RingBuffer(3)
    slots = ring._slots
    for item in range(10):
        ring.push(item)
    assert ring._slots is slots
    assert set(slots) == {7, 8, 9}


def test_clear_lets_the_items_go() -> None:
    ring: RingBuffer[int] = RingBuffer(3)
    ring.push(1)
    ring.clear()
    assert ring._slots == [None, None, None]


@pytest.mark.parametrize("capacity", [0, -2])
def test_refuses_a_ring_without_slots(capacity: int) -> None:
    with pytest.raises(InputError, match="1 or more"):
        RingBuffer(capacity)
