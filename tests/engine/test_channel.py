"""Channels keep order, hold back whoever is ahead, and can be closed and cancelled."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptfan.engine.channel import Cancelled, Channel


def test_items_arrive_in_order_and_the_end_is_told() -> None:
    channel: Channel[int] = Channel(2)

    def send() -> None:
        for item in range(200):
            channel.put(item)
        channel.close()

    sender = threading.Thread(target=send)
    sender.start()
    assert list(channel) == list(range(200))
    sender.join()


def test_a_full_channel_holds_the_sender_back() -> None:
    channel: Channel[int] = Channel(3)
    for item in range(3):
        channel.put(item)
    sent = threading.Event()

    def send() -> None:
        channel.put(3)
        sent.set()

    sender = threading.Thread(target=send)
    sender.start()
    assert not sent.wait(0.05)
    taker = iter(channel)
    assert next(taker) == 0
    assert sent.wait(5)
    sender.join()


def test_without_room_an_item_is_handed_over() -> None:
    channel: Channel[int] = Channel(0)
    taken: list[int] = []

    def send() -> None:
        channel.put(1)
        taken.append(1)

    sender = threading.Thread(target=send)
    sender.start()
    sender.join(0.05)
    assert taken == [], "the sender waits until the item is taken"
    assert channel.get(5) == 1
    sender.join()
    assert taken == [1]


def test_a_hand_over_ends_where_it_is_cancelled() -> None:
    channel: Channel[int] = Channel(0)
    sender = threading.Thread(target=channel.put, args=(1,))
    sender.start()
    channel.cancel()
    sender.join(5)
    assert not sender.is_alive()


def test_what_waits_is_delivered_after_the_end() -> None:
    channel: Channel[str] = Channel(4)
    channel.put("a")
    channel.put("b")
    channel.close()
    assert list(channel) == ["a", "b"]


def test_cancelling_wakes_both_sides_and_drops_what_waits() -> None:
    full: Channel[int] = Channel(1)
    full.put(1)
    empty: Channel[int] = Channel(1)
    woken: list[str] = []

    def note(name: str, work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except Cancelled:
            woken.append(name)

    threads = [
        threading.Thread(target=note, args=("sender", lambda: full.put(2))),
        threading.Thread(target=note, args=("taker", lambda: next(iter(empty)))),
    ]
    for thread in threads:
        thread.start()
    full.cancel()
    empty.cancel()
    for thread in threads:
        thread.join(5)
    assert sorted(woken) == ["sender", "taker"]
    with pytest.raises(Cancelled):
        next(iter(full))


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=60))
def test_the_newest_wins(capacity: int, puts: list[bool]) -> None:
    """Against a list: a put appends and cuts to the newest, a get takes the oldest."""
    channel: Channel[int] = Channel(capacity, newest_wins=True)
    waiting: list[int] = []
    for number, put in enumerate(puts):
        if put:
            dropped = channel.put(number)
            waiting.append(number)
            assert dropped == waiting[:-capacity]
            waiting = waiting[-capacity:]
        else:
            expected = waiting.pop(0) if waiting else None
            assert channel.get(0) == expected
    channel.close()
    assert channel.put(-1) == [-1]
    assert [channel.get(0) for _ in waiting] == waiting
    assert channel.ended


def test_without_drops_who_is_ahead_waits_and_nothing_is_lost() -> None:
    channel: Channel[int] = Channel(2)
    most = 0

    def fill() -> None:
        for number in range(50):
            assert channel.put(number) == []
        channel.close()

    thread = threading.Thread(target=fill)
    thread.start()
    taken = []
    while not channel.ended:
        with channel._changed:
            most = max(most, len(channel._items))
        item = channel.get(1)
        if item is not None:
            taken.append(item)
    thread.join()
    assert taken == list(range(50))
    assert most <= 2


def test_a_close_frees_who_waits_for_room() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(0)
    thread = threading.Thread(target=channel.put, args=(1,))
    thread.start()
    channel.close()
    thread.join(10)
    assert not thread.is_alive()
