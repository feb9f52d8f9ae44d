"""What waits for the answer to a callback, and how is it woken?"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Event
    from collections.abc import Callable

    from caduceus._context import CallContext
    from caduceus._frames import Message


class LaneEnded(Exception):
    """Nothing comes on the calls lane any more."""


class Waiter:
    """One callback that waits in a thread.

    Parameters
    ----------
    call : CallContext
        The call that made it.
    poke : callable
        Ends the wait of the thread that reads the lane.
    """

    __slots__ = ("_poke", "box", "call", "changed")

    def __init__(self, call: CallContext, poke: Callable[[], None]) -> None:
        self.call = call
        self.box: deque[Message] = deque()
        self.changed = threading.Event()
        self._poke = poke

    def wake(self) -> None:
        """Have the waiter look again; from any thread."""
        self.changed.set()
        self._poke()


class AsyncWaiter:
    """One callback that waits on an event loop.

    Parameters
    ----------
    call : CallContext
        The call that made it.
    loop : asyncio.AbstractEventLoop
        The loop.
    changed : asyncio.Event
        Set whenever there is something to look at.
    """

    __slots__ = ("_loop", "box", "call", "changed")

    def __init__(self, call: CallContext, loop: AbstractEventLoop, changed: Event) -> None:
        self.call = call
        self.box: deque[Message] = deque()
        self.changed = changed
        self._loop = loop

    def wake(self) -> None:
        """Have the waiter look again; from any thread."""
        # A loop that was closed meanwhile has nobody left to wake.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.changed.set)


async def wait_for_change(changed: Event, timeout_s: float | None) -> None:
    """Wait until `changed` is set, or the time is over.

    Parameters
    ----------
    changed : asyncio.Event
        Of this loop.
    timeout_s : float or None
        In seconds; None is without end.
    """
    import asyncio

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(changed.wait(), timeout_s)
