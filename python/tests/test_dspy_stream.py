"""Is an asynchronous iterator read to its end, or closed, by code that is not asynchronous?"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from caduceus import CallContext
from caduceus._link import CallCancelled
from caduceus.bridges import _dspy_stream
from caduceus.bridges._dspy_stream import read_from_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def _count(limit: int, ended: list[str]) -> AsyncIterator[int]:
    try:
        for number in range(limit):
            await asyncio.sleep(0)
            yield number
    finally:
        ended.append("closed")


def test_all_items_come_in_order() -> None:
    ended: list[str] = []
    assert list(read_from_loop(lambda: _count(50, ended), None)) == list(range(50))
    assert ended == ["closed"]


def test_an_iterator_of_nothing_ends_at_once() -> None:
    assert list(read_from_loop(lambda: _count(0, []), None)) == []


def test_no_more_is_made_than_the_reader_has_room_for() -> None:
    made: list[int] = []

    async def make() -> AsyncIterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    reader = read_from_loop(make, None)
    assert next(reader) == 0
    assert len(made) <= 3
    reader.close()  # type: ignore[attr-defined]


def test_a_reader_that_stops_closes_the_iterator() -> None:
    ended: list[str] = []
    reader = read_from_loop(lambda: _count(50, ended), None)
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert ended == ["closed"]


def test_what_the_iterator_raises_comes_behind_the_items_before_it() -> None:
    async def make() -> AsyncIterator[int]:
        yield 1
        raise KeyError("broken")

    reader = read_from_loop(make, None)
    assert next(reader) == 1
    with pytest.raises(KeyError, match="broken"):
        next(reader)


def test_a_call_that_is_cancelled_ends_a_wait_and_closes_the_iterator() -> None:
    ended: list[str] = []
    waits = threading.Event()

    async def make() -> AsyncIterator[int]:
        try:
            yield 1
            waits.set()
            await asyncio.Event().wait()
        finally:
            ended.append("closed")

    call = CallContext(1, None, "stream_program")
    reader = read_from_loop(make, call)
    assert next(reader) == 1

    def cancel() -> None:
        waits.wait(5)
        call._cancel(is_raise_wanted=False)

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(CallCancelled):
        next(reader)
    thread.join()
    assert ended == ["closed"]


def test_a_call_that_was_cancelled_before_gets_nothing() -> None:
    call = CallContext(1, None, "stream_program")
    call._cancel(is_raise_wanted=False)
    with pytest.raises(CallCancelled):
        next(read_from_loop(lambda: _count(5, []), call))


def test_one_stream_may_be_read_inside_of_another_in_the_same_thread() -> None:
    async def outer() -> AsyncIterator[list[int]]:
        yield list(read_from_loop(lambda: _count(3, []), None))

    assert list(read_from_loop(outer, None)) == [[0, 1, 2]]


def test_an_iterator_that_does_not_close_is_left_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_dspy_stream, "CLOSE_TIMEOUT_S", 0.05)
    attempts: list[int] = []

    async def make() -> AsyncIterator[int]:
        yield 1
        while len(attempts) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                attempts.append(1)

    reader = read_from_loop(make, None)
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert attempts == [1]
