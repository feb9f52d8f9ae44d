"""How does a handler call back into Node, and what happens in its thread until the answer is there?

It waits, and runs the calls that Node makes from inside the callback. Everything that writes or
reads a lane here is shielded from interrupts: a cancelled call ends its waits by itself.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from caduceus._ending import end_for_protocol_error
from caduceus._frames import FrameError
from caduceus._link import ANSWER_GRACE_S, CallbackError, CallCancelled
from caduceus._values import decode_value
from caduceus._waiters import AsyncWaiter, LaneEnded

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Awaitable, Callable

    from caduceus._context import CallContext
    from caduceus._frames import Message
    from caduceus._inbox import Inbox
    from caduceus._interrupts import InterruptGate
    from caduceus._outbox import Outbox

NESTED_DEPTH_MAX = 8
"""How many calls may be nested in each other through callbacks: each holds a part of the stack."""

_MS_PER_S = 1000


class Callbacks:
    """What connects the calls of a worker to their callers.

    Parameters
    ----------
    outbox : Outbox
        Where callbacks and progress go.
    inbox : Inbox
        Where answers and nested calls come from.
    gate : InterruptGate
        Shields what must not be interrupted.

    Attributes
    ----------
    run_nested : callable
        Runs a nested call in this thread, given the call that it is nested in.
    run_nested_async : callable
        The same, as a coroutine.
    loop_thread : int or None
        The thread that must not wait because it runs everything, in `asyncio` mode.
    """

    def __init__(self, outbox: Outbox, inbox: Inbox, gate: InterruptGate) -> None:
        self.run_nested: Callable[[Message, CallContext], None]
        self.run_nested_async: Callable[[Message, CallContext], Awaitable[None]]
        self.loop_thread: int | None = None
        self._outbox = outbox
        self._inbox = inbox
        self._gate = gate
        self._number = 0
        self._number_lock = threading.Lock()
        self._tasks: set[Task[None]] = set()

    def progress(self, call: CallContext, value: object) -> None:
        """Send one progress message; see `CallContext.progress`."""
        self._outbox.send_progress(call, value)

    def invoke(
        self, call: CallContext, name: str, args: object, timeout_ms: float | None
    ) -> object:
        """Run a callback and wait in this thread; see `CallContext.invoke`."""
        if self.loop_thread == threading.get_ident():
            raise CallbackError(
                f"callback {name!r}: in asyncio mode, invoke would stop the event loop; "
                "use `await current_call().ainvoke(…)`",
                code="callback_failed",
            )
        call.raise_if_cancelled()
        number = self._next_number()
        frame = self._outbox.callback(call, number, name, _or_empty(args), timeout_ms)
        deadline_s = _deadline_of(call, timeout_ms)
        inbox, gate = self._inbox, self._gate
        waiter = inbox.new_waiter(call)
        # An interrupt is put off while this thread waits, not while it runs a nested handler.
        with gate:
            try:
                inbox.add(number, waiter)
                call._add_waker(waiter.wake)
                self._outbox.send(frame)
                while True:
                    received = inbox.wait(waiter, deadline_s)
                    if received is None or received[0]["type"] != "call":
                        return _answer_of(call, name, received)
                    self.run_nested(received, call)
            except LaneEnded:
                raise _ended(name) from None
            finally:
                call._remove_waker(waiter.wake)
                inbox.remove(number)

    async def ainvoke(
        self, call: CallContext, name: str, args: object, timeout_ms: float | None
    ) -> object:
        """Run a callback and wait on the event loop; see `CallContext.ainvoke`."""
        import asyncio

        call.raise_if_cancelled()
        number = self._next_number()
        frame = self._outbox.callback(call, number, name, _or_empty(args), timeout_ms)
        deadline_s = _deadline_of(call, timeout_ms)
        inbox = self._inbox
        loop = asyncio.get_running_loop()
        waiter = AsyncWaiter(call, loop, asyncio.Event())
        call._waits += 1
        try:
            inbox.add(number, waiter)
            call._add_waker(waiter.wake)
            self._outbox.send(frame)
            while True:
                received = await inbox.wait_async(waiter, deadline_s)
                if received is None or received[0]["type"] != "call":
                    return _answer_of(call, name, received)
                task = loop.create_task(_as_coroutine(self.run_nested_async(received, call)))
                # The loop itself holds tasks only weakly.
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except LaneEnded:
            raise _ended(name) from None
        finally:
            call._remove_waker(waiter.wake)
            inbox.remove(number)
            call._waits -= 1

    def _next_number(self) -> int:
        with self._number_lock:
            self._number += 1
            return self._number


def _or_empty(args: object) -> object:
    return {} if args is None else args


def _deadline_of(call: CallContext, timeout_ms: float | None) -> float | None:
    own_s = None if timeout_ms is None else time.monotonic() + timeout_ms / _MS_PER_S
    limits = [limit for limit in (own_s, call.deadline_s) if limit is not None]
    return min(limits) + ANSWER_GRACE_S if limits else None


def _answer_of(call: CallContext, name: str, received: Message | None) -> object:
    if received is None:
        raise CallbackError(f"callback {name!r}: no answer in time", code="callback_timeout")
    message, segments = received
    if message.get("ok") is True:
        try:
            return decode_value(message.get("value"), message.get("tagged") is True, segments)
        except FrameError as error:
            end_for_protocol_error(f"{error} (calls lane)")
    found = message.get("error")
    described: dict[str, Any] = found if isinstance(found, dict) else {}
    text = f"callback {name!r}: {described.get('message')}"
    if call.is_cancelled:
        raise CallCancelled(text)
    raise CallbackError(text, code=str(described.get("code")))


def _ended(name: str) -> CallbackError:
    return CallbackError(f"callback {name!r}: the calls lane has ended", code="callback_failed")


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable
