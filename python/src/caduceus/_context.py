"""Which call is running, for whom, and does its caller still wait?"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from caduceus._link import CallbackError, CallCancelled

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Callable, Iterator

    from caduceus._link import Link
    from caduceus._streams import Credit

current: ContextVar[CallContext | None] = ContextVar("caduceus_call", default=None)

# Cancelling is rare and short: one lock for all calls is less than a lock in each.
_cancel_lock = threading.Lock()


class CallContext:
    """What a handler can know about the call that it serves, and say to its caller.

    Parameters
    ----------
    call_id, session_id, op, deadline_s, trace
        As the attributes.
    link : Link, optional
        The way to the caller; without it progress goes nowhere and callbacks fail.
    parent : CallContext, optional
        The call whose callback this one was made from.

    Attributes
    ----------
    call_id : int
        The number of the call, never used twice in the life of the process.
    session_id : str or None
        The caller's session; None is the anonymous scope.
    op : str
        The operation.
    deadline_s : float or None
        When the caller stops waiting, on the clock of `time.monotonic`, in seconds; None if never.
    trace : dict of str to str
        The caller's trace context: ``traceparent``, ``tracestate``, ``baggage``, as far as given.
    """

    __slots__ = (
        "_args",
        "_batch",
        "_credit",
        "_depth",
        "_is_over",
        "_is_raise_wanted",
        "_is_raised",
        "_link",
        "_loop",
        "_parent",
        "_task",
        "_waits",
        "_wakers",
        "call_id",
        "deadline_s",
        "is_cancelled",
        "op",
        "session_id",
        "trace",
    )

    def __init__(
        self,
        call_id: int,
        session_id: str | None,
        op: str,
        deadline_s: float | None = None,
        *,
        trace: dict[str, str] | None = None,
        link: Link | None = None,
        parent: CallContext | None = None,
    ) -> None:
        self.call_id = call_id
        self.session_id = session_id
        self.op = op
        self.deadline_s = deadline_s
        self.trace = {} if trace is None else trace
        self.is_cancelled = False
        """Whether the caller has stopped waiting. A handler may look and return early."""
        self._link = link
        self._parent = parent
        self._args: Any = None
        self._batch: int | None = None
        self._depth: int = 0 if parent is None else parent._depth + 1
        self._credit: Credit | None = None
        self._wakers: list[Callable[[], None]] | None = None
        self._task: Task[Any] | None = None
        self._loop: AbstractEventLoop | None = None
        self._waits = 0
        self._is_raise_wanted = False
        self._is_raised = False
        self._is_over = False

    def __repr__(self) -> str:
        return f"<CallContext {self.call_id} {self.op!r} session={self.session_id!r}>"

    @property
    def batch_size(self) -> int:
        """How many calls of Node this one stands for: more than 1 in a batch."""
        return 1 if self._batch is None else self._batch

    def remaining_ms(self) -> float | None:
        """Return the milliseconds left until the deadline.

        Returns
        -------
        float or None
            Zero if the deadline has passed, None if there is none.
        """
        if self.deadline_s is None:
            return None
        return max(0.0, (self.deadline_s - time.monotonic()) * 1000)

    def raise_if_cancelled(self) -> None:
        """Raise if the caller has stopped waiting; for loops that take long.

        Raises
        ------
        CallCancelled
            If `is_cancelled`.
        """
        if self.is_cancelled:
            raise CallCancelled(f"call {self.call_id} ({self.op}) was cancelled")

    def progress(self, value: object) -> None:
        """Tell the caller how far the call is.

        Parameters
        ----------
        value : object
            Anything that a result may be.

        Raises
        ------
        BridgeError
            With code ``unencodable``.
        """
        if self._link is not None:
            self._link.progress(self, value)

    def invoke(self, name: str, args: object = None, *, timeout_ms: float | None = None) -> object:
        """Call the function that Node has registered under `name`, and wait for its result.

        Works in every thread that carries this call's context. In `asyncio` mode the thread of the
        event loop must use `ainvoke` instead, because nothing else would run meanwhile.

        Parameters
        ----------
        name : str
            What the function is called there.
        args : object, optional
            Its argument: anything that a result may be. None is an empty object.
        timeout_ms : float, optional
            How long to wait, in milliseconds. The call's own deadline holds in any case.

        Returns
        -------
        object
            What the function returned.

        Raises
        ------
        CallbackError
            If there is no such function, it threw, or it took too long.
        CallCancelled
            If this call is cancelled meanwhile.
        """
        return self._linked(name).invoke(self, name, args, timeout_ms)

    async def ainvoke(
        self, name: str, args: object = None, *, timeout_ms: float | None = None
    ) -> object:
        """Do what `invoke` does, from a coroutine and without holding up its event loop.

        Parameters
        ----------
        name, args, timeout_ms
            As for `invoke`.

        Returns
        -------
        object
            What the function returned.

        Raises
        ------
        CallbackError
            As for `invoke`.
        CallCancelled
            If this call is cancelled meanwhile.
        """
        return await self._linked(name).ainvoke(self, name, args, timeout_ms)

    def _linked(self, name: str) -> Link:
        if self._link is None or self._is_over:
            state = "is over" if self._is_over else "has no caller that could be asked"
            raise CallbackError(
                f"callback {name!r}: call {self.call_id} {state}", code="callback_failed"
            )
        return self._link

    def _cancel(self, *, is_raise_wanted: bool) -> None:
        """Mark the call, and end what it waits for. From any thread."""
        with _cancel_lock:
            self.is_cancelled = True
            if is_raise_wanted:
                self._is_raise_wanted = True
            wakers = tuple(self._wakers or ())
        for wake in wakers:
            wake()

    def _add_waker(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, from any thread, when the call is cancelled; at once if it is."""
        with _cancel_lock:
            if self._wakers is None:
                self._wakers = []
            self._wakers.append(wake)
            is_late = self.is_cancelled
        if is_late:
            wake()

    def _remove_waker(self, wake: Callable[[], None]) -> None:
        with _cancel_lock:
            if self._wakers is not None and wake in self._wakers:
                self._wakers.remove(wake)

    def _cancel_task(self) -> None:
        """Cancel the task that serves the call; in the thread of its event loop."""
        task = self._task
        if task is not None and self._is_raise_wanted and not self._is_raised:
            self._is_raised = True
            task.cancel()


def current_call() -> CallContext | None:
    """Return the call that this code runs for.

    Returns
    -------
    CallContext or None
        None outside a call, and in a thread that was started without the caller's context.
    """
    return current.get()


@contextmanager
def entered(call: CallContext) -> Iterator[CallContext]:
    """Make `call` the current one for the length of a ``with`` block.

    Parameters
    ----------
    call : CallContext
        The call.

    Yields
    ------
    CallContext
        The same call.
    """
    token = current.set(call)
    try:
        yield call
    finally:
        current.reset(token)
