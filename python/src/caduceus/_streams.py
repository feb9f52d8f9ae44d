"""How do the values of a generator reach a reader that may be slow, or may stop reading?

One at a time, each for one unit of credit. Without credit the generator is not asked for its next
value. Whatever ends the stream early closes the generator where it runs, so that its ``finally``
runs there.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from caduceus._link import ANSWER_GRACE_S, CallCancelled

if TYPE_CHECKING:
    from asyncio import Event
    from collections.abc import AsyncGenerator, Callable, Generator

    from caduceus._context import CallContext

    SendItem = Callable[[CallContext, int, object], None]


class Credit:
    """How many items may still be sent.

    Parameters
    ----------
    count : int
        The credit that the call came with.
    """

    __slots__ = ("_count", "_lock", "_wake")

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._wake: Callable[[], None] | None = None

    def add(self, count: int) -> None:
        """Add `count`, from any thread."""
        with self._lock:
            self._count += count
            wake = self._wake
        if wake is not None:
            wake()

    def try_take(self) -> bool:
        """Take one unit if there is one."""
        with self._lock:
            if self._count == 0:
                return False
            self._count -= 1
            return True

    def set_wake(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever credit has been added, from any thread."""
        with self._lock:
            self._wake = wake


def stream(
    generator: Generator[object, None, object], call: CallContext, send_item: SendItem
) -> None:
    """Send all values of `generator`, or as many as the caller wants.

    Parameters
    ----------
    generator : generator
        What the handler returned.
    call : CallContext
        Its call, which has credit.
    send_item : callable
        Takes the call, the number and the value of an item.

    Raises
    ------
    CallCancelled
        If the call was cancelled.
    """
    credit = call._credit
    assert credit is not None
    changed = threading.Event()
    credit.set_wake(changed.set)
    call._add_waker(changed.set)
    number = 0
    try:
        while True:
            _wait_for_credit(credit, call, changed)
            try:
                value = next(generator)
            except StopIteration:
                return
            send_item(call, number, value)
            number += 1
    finally:
        call._remove_waker(changed.set)
        # Nothing happens to one that has ended by itself.
        generator.close()


def _wait_for_credit(credit: Credit, call: CallContext, changed: threading.Event) -> None:
    call.raise_if_cancelled()
    while not credit.try_take():
        changed.clear()
        if credit.try_take():
            return
        call.raise_if_cancelled()
        remaining_s = _remaining_s(call)
        if not changed.wait(remaining_s) and remaining_s is not None:
            raise CallCancelled(f"call {call.call_id}: no credit came before its deadline")
        call.raise_if_cancelled()


async def stream_async(
    generator: AsyncGenerator[object, None], call: CallContext, send_item: SendItem
) -> None:
    """Do what `stream` does, for an asynchronous generator and without holding up its loop.

    Parameters
    ----------
    generator : async generator
        What the handler returned.
    call : CallContext
        Its call, which has credit.
    send_item : callable
        Takes the call, the number and the value of an item.

    Raises
    ------
    CallCancelled
        If the call was cancelled.
    """
    import asyncio

    credit = call._credit
    assert credit is not None
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        # A loop that was closed meanwhile has nobody left to wake.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(changed.set)

    credit.set_wake(wake)
    call._add_waker(wake)
    number = 0
    try:
        while True:
            await _wait_for_credit_async(credit, call, changed)
            try:
                value = await generator.__anext__()
            except StopAsyncIteration:
                return
            send_item(call, number, value)
            number += 1
    finally:
        call._remove_waker(wake)
        credit.set_wake(_nobody)
        await generator.aclose()


async def _wait_for_credit_async(credit: Credit, call: CallContext, changed: Event) -> None:
    import asyncio

    call.raise_if_cancelled()
    while not credit.try_take():
        changed.clear()
        if credit.try_take():
            return
        call.raise_if_cancelled()
        try:
            await asyncio.wait_for(changed.wait(), _remaining_s(call))
        except asyncio.TimeoutError:
            raise CallCancelled(
                f"call {call.call_id}: no credit came before its deadline"
            ) from None
        call.raise_if_cancelled()


def collect(generator: Generator[object, None, object], call: CallContext) -> list[object]:
    """Return all values of `generator`, for a caller that has not asked for a stream.

    Parameters
    ----------
    generator : generator
        What the handler returned.
    call : CallContext
        Its call; a cancelled one is ended between two values.

    Returns
    -------
    list
        The values.

    Raises
    ------
    CallCancelled
        If the call was cancelled.
    """
    values = []
    try:
        for value in generator:
            values.append(value)
            call.raise_if_cancelled()
    finally:
        generator.close()
    return values


async def collect_async(generator: AsyncGenerator[object, None], call: CallContext) -> list[object]:
    """Do what `collect` does, for an asynchronous generator.

    Parameters
    ----------
    generator : async generator
        What the handler returned.
    call : CallContext
        Its call.

    Returns
    -------
    list
        The values.

    Raises
    ------
    CallCancelled
        If the call was cancelled.
    """
    values = []
    try:
        async for value in generator:
            values.append(value)
            call.raise_if_cancelled()
    finally:
        await generator.aclose()
    return values


async def as_async(generator: Generator[object, None, object]) -> AsyncGenerator[object, None]:
    """Yield the values of `generator`, and let other tasks run between them."""
    import asyncio

    try:
        for value in generator:
            yield value
            await asyncio.sleep(0)
    finally:
        generator.close()


def _remaining_s(call: CallContext) -> float | None:
    if call.deadline_s is None:
        return None
    return max(0.0, call.deadline_s + ANSWER_GRACE_S - time.monotonic())


def _nobody() -> None:
    """Nobody waits for credit any more."""
