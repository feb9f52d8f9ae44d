"""Who reads the calls lane, and who gets what is read?

Whoever has nothing else to do: the serving thread between two calls, and a thread that waits for
the answer to a callback. Only one reads at a time, the others wait to be given their messages or
the reading. So the answer arrives even when the thread that waits for it is not the serving one,
which may be waiting for that thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from caduceus._ending import end_for_protocol_error
from caduceus._lane_reader import LaneReader
from caduceus._waiters import AsyncWaiter, LaneEnded, Waiter, wait_for_change

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from caduceus._context import CallContext
    from caduceus._frames import Message
    from caduceus._lanes import Lane


class Inbox:
    """The calls lane.

    Parameters
    ----------
    lane : Lane
        The lane, read by nobody else.
    refuse : callable
        Told of a nested call for which nobody waits any more.

    Attributes
    ----------
    on_nested : callable or None
        Given nested calls instead of the thread that waits, with the call they are nested in.
    """

    def __init__(self, lane: Lane, refuse: Callable[[dict[str, Any]], None]) -> None:
        self.on_nested: Callable[[Message, CallContext], None] | None = None
        self._reader = LaneReader(lane)
        self._refuse = refuse
        self._reading = threading.Lock()
        # The thread and the loop of a coroutine that reads.
        self._coroutine: tuple[int, AbstractEventLoop] | None = None
        self._waiters: dict[int, Waiter | AsyncWaiter] = {}
        self._waiters_lock = threading.Lock()
        self._backlog: deque[Message] = deque()
        self._backlog_changed = threading.Event()
        self._is_ended = False

    def next_call(self) -> Message | None:
        """Return the next call that is not nested. Only for the serving thread.

        Returns
        -------
        tuple or None
            The message and its segments; None at the end of the lane.

        Raises
        ------
        OSError
            If the lane is broken.
        """
        while True:
            if self._backlog:
                return self._backlog.popleft()
            if self._is_ended:
                return None
            if self._reading.acquire(blocking=False):
                try:
                    received = self._reader.receive()
                finally:
                    self._reading.release()
                if self._waiters:
                    self._wake_all()
                # The ordinary case, without a detour.
                if (
                    received is not None
                    and received[0].get("type") == "call"
                    and "parent" not in received[0]
                ):
                    return received
                self._take(received)
            else:
                self._backlog_changed.wait()
                self._backlog_changed.clear()

    def new_waiter(self, call: CallContext) -> Waiter:
        """Return a waiter for a thread."""
        with self._waiters_lock:
            self._reader.allow_pokes()
        return Waiter(call, self._reader.poke)

    def add(self, number: int, waiter: Waiter | AsyncWaiter) -> None:
        """Have what belongs to callback `number` given to `waiter`."""
        with self._waiters_lock:
            self._waiters[number] = waiter

    def remove(self, number: int) -> None:
        """Note that nobody waits for callback `number` any more."""
        with self._waiters_lock:
            self._waiters.pop(number, None)
        # If this was the thread that reads, another one has to.
        self._wake_all()

    def wait(self, waiter: Waiter, deadline_s: float | None) -> Message | None:
        """Return the next message for `waiter`, waiting in this thread.

        Parameters
        ----------
        waiter : Waiter
            Added before.
        deadline_s : float or None
            When to give up, on the clock of `time.monotonic`.

        Returns
        -------
        tuple or None
            A callback's result or a nested call; None if the time is over.

        Raises
        ------
        CallCancelled
            If the call is cancelled.
        LaneEnded
            If nothing can come any more.
        """
        while True:
            if waiter.box:
                return waiter.box.popleft()
            waiter.changed.clear()
            if waiter.box:
                continue
            timeout_s = self._time_left(waiter, deadline_s)
            if timeout_s is not None and timeout_s <= 0:
                return None
            is_taken = self._reading.acquire(blocking=False)
            # A coroutine of this very thread may be the reader; it stands still meanwhile.
            if is_taken or (self._coroutine and self._coroutine[0] == threading.get_ident()):
                try:
                    self._read_one(timeout_s)
                finally:
                    if is_taken:
                        self._reading.release()
                        self._wake_all(waiter)
            else:
                waiter.changed.wait(timeout_s)

    async def wait_async(self, waiter: AsyncWaiter, deadline_s: float | None) -> Message | None:
        """Do what `wait` does, on an event loop.

        Parameters
        ----------
        waiter : AsyncWaiter
            Added before.
        deadline_s : float or None
            As for `wait`.

        Returns
        -------
        tuple or None
            As for `wait`.

        Raises
        ------
        CallCancelled
            If the call is cancelled.
        LaneEnded
            If nothing can come any more.
        """
        import asyncio

        own = (threading.get_ident(), asyncio.get_running_loop())
        while True:
            if waiter.box:
                return waiter.box.popleft()
            waiter.changed.clear()
            timeout_s = self._time_left(waiter, deadline_s)
            if timeout_s is not None and timeout_s <= 0:
                return None
            reader = self._coroutine
            is_taken = self._reading.acquire(blocking=False)
            # A coroutine of another loop of this thread stands still as long as this loop runs.
            if is_taken or (reader and reader[0] == own[0] and reader[1] is not own[1]):
                self._coroutine = own
                try:
                    await self._read_one_async(waiter, timeout_s)
                finally:
                    self._coroutine = None if is_taken else reader
                    if is_taken:
                        self._reading.release()
                    self._wake_all(waiter)
            else:
                await wait_for_change(waiter.changed, timeout_s)

    def serve(self, loop: AbstractEventLoop, on_call: Callable[[Message | None], None]) -> None:
        """Read on `loop` from now on, and give every call that is not nested to `on_call`.

        Parameters
        ----------
        loop : asyncio.AbstractEventLoop
            The loop of this thread.
        on_call : callable
            Takes a call, or None at the end of the lane.
        """
        self._reading.acquire()
        descriptor = self._reader.fileno()

        def read() -> None:
            self._take_all(self._reader.receive())
            while self._backlog:
                on_call(self._backlog.popleft())
            if self._is_ended:
                loop.remove_reader(descriptor)
                on_call(None)

        loop.add_reader(descriptor, read)

    def _time_left(self, waiter: Waiter | AsyncWaiter, deadline_s: float | None) -> float | None:
        if self._is_ended:
            raise LaneEnded
        waiter.call.raise_if_cancelled()
        return None if deadline_s is None else deadline_s - time.monotonic()

    def _read_one(self, timeout_s: float | None) -> None:
        received = self._reader.receive_nowait()
        if received is not None:
            self._take_all(received)
        elif self._reader.is_readable(timeout_s):
            self._take_all(self._reader.receive())

    async def _read_one_async(self, waiter: AsyncWaiter, timeout_s: float | None) -> None:
        import asyncio

        received = self._reader.receive_nowait()
        if received is not None:
            self._take_all(received)
            return
        loop, descriptor = asyncio.get_running_loop(), self._reader.fileno()
        loop.add_reader(descriptor, waiter.changed.set)
        try:
            await wait_for_change(waiter.changed, timeout_s)
        finally:
            loop.remove_reader(descriptor)
        # Not because of the wake-up alone: a blocking wait inside this thread may have read it.
        if self._reader.is_readable(0):
            self._take_all(self._reader.receive())

    def _take_all(self, received: Message | None) -> None:
        self._take(received)
        while not self._is_ended and (more := self._reader.receive_nowait()) is not None:
            self._take(more)

    def _take(self, received: Message | None) -> None:
        """Give a message to whom it belongs. Only the reader does."""
        if received is None:
            self._is_ended = True
            self._backlog_changed.set()
            self._wake_all()
            return
        message = received[0]
        kind, number = message.get("type"), message.get("callback")
        if kind not in ("call", "callback_result"):
            end_for_protocol_error(f"unknown message type {kind!r} (calls lane)")
        if kind == "call" and "parent" not in message:
            self._backlog.append(received)
            self._backlog_changed.set()
            return
        if type(number) is not int:
            end_for_protocol_error(f"a {kind} without a usable callback: {number!r} (calls lane)")
        with self._waiters_lock:
            waiter = self._waiters.get(number)
        if waiter is None or (kind == "call" and waiter.call.call_id != message["parent"]):
            # Too late: the callback has timed out here. Its answer is nobody's, a call needs one.
            if kind == "call":
                self._refuse(message)
        elif kind == "call" and self.on_nested is not None:
            self.on_nested(received, waiter.call)
        else:
            waiter.box.append(received)
            waiter.wake()

    def _wake_all(self, but: Waiter | AsyncWaiter | None = None) -> None:
        with self._waiters_lock:
            others = [waiter for waiter in self._waiters.values() if waiter is not but]
        for waiter in others:
            waiter.wake()
        self._backlog_changed.set()
