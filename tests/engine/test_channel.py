"""Channels keep order, hold back whoever is ahead, and can be closed and cancelled."""

from __future__ import annotations

import threading

import pytest

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
