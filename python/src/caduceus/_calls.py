"""Which calls are here, which have started, and which must not start any more?

Shared by the threads that run calls and the control thread, which cancels, withdraws and gives
credit. Starting and withdrawing are one decision each under one lock, so that a call is either
withdrawn or started.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Literal

from caduceus._context import CallContext
from caduceus._frames import FrameError, encode_json
from caduceus._streams import Credit

if TYPE_CHECKING:
    from caduceus._link import Link

Verdict = Literal["started", "cancelled", "withdrawn", "stopping"]

_MS_PER_S = 1000


class CallTable:
    """The calls of this process that are not over, and what is known of those to come.

    Attributes
    ----------
    is_stopping : bool
        Whether the worker takes no further call.
    """

    def __init__(self) -> None:
        self.is_stopping = False
        self._lock = threading.Lock()
        self._in_flight: dict[int, CallContext] = {}
        self._newest = 0
        # Nested calls overtake those that wait, so that the newest number does not tell of them.
        self._nested: set[int] = set()
        self._cancelled: set[int] = set()
        self._withdrawn: set[int] = set()

    def start(self, call: CallContext) -> Verdict:
        """Decide whether `call`, whose turn has come, runs.

        Parameters
        ----------
        call : CallContext
            The call.

        Returns
        -------
        {"started", "cancelled", "withdrawn", "stopping"}
            Only a call that has started needs `finish`.
        """
        call_id = call.call_id
        with self._lock:
            if call._parent is not None:
                self._nested.add(call_id)
                if call._parent.is_cancelled:
                    return "cancelled"
            else:
                if self.is_stopping:
                    return "stopping"
                if call_id > self._newest:
                    self._newest = call_id
            if self._cancelled or self._withdrawn or self._nested:
                verdict = self._verdict_of(call_id)
                if verdict != "started":
                    return verdict
            self._in_flight[call_id] = call
        return "started"

    def finish(self, call: CallContext) -> bool:
        """Note that `call` is over.

        Parameters
        ----------
        call : CallContext
            A call that had started.

        Returns
        -------
        bool
            Whether it was the last one of a worker that stops.
        """
        with self._lock:
            call._is_over = True
            self._in_flight.pop(call.call_id, None)
            return self.is_stopping and not self._in_flight

    def cancel(self, call_id: int, *, is_raise_wanted: bool) -> list[CallContext]:
        """Cancel a call and those that were made from its callbacks.

        Parameters
        ----------
        call_id : int
            The call; one that has not started yet will not, one that is over stays as it is.
        is_raise_wanted : bool
            Whether `CallCancelled` is to be raised in its handler.

        Returns
        -------
        list of CallContext
            The calls in flight that are cancelled now.
        """
        with self._lock:
            found = [call for call in self._in_flight.values() if _belongs(call, call_id)]
            if call_id not in self._in_flight and self._is_to_come(call_id):
                self._cancelled.add(call_id)
        for call in found:
            call._cancel(is_raise_wanted=is_raise_wanted)
        return found

    def withdraw(self, call_id: int) -> bool:
        """Keep a call from starting.

        Parameters
        ----------
        call_id : int
            The call.

        Returns
        -------
        bool
            True if it never runs; False if it has started or is over.
        """
        with self._lock:
            if not self._is_to_come(call_id):
                return False
            self._withdrawn.add(call_id)
            return True

    def add_credit(self, call_id: int, count: int) -> None:
        """Let a stream send `count` more items; nothing happens to a call that is over."""
        with self._lock:
            call = self._in_flight.get(call_id)
        if call is not None and call._credit is not None:
            call._credit.add(count)

    def stop(self) -> bool:
        """Take no further call.

        Returns
        -------
        bool
            Whether none is in flight, so that nobody will notice by itself.
        """
        with self._lock:
            self.is_stopping = True
            return not self._in_flight

    def _is_to_come(self, call_id: int) -> bool:
        return call_id > self._newest and call_id not in self._nested

    def _verdict_of(self, call_id: int) -> Verdict:
        verdict: Verdict = "started"
        if call_id in self._withdrawn:
            verdict = "withdrawn"
        elif call_id in self._cancelled:
            verdict = "cancelled"
        newest = self._newest
        # Numbers grow: what is not newer than a call that had its turn will not be asked about.
        for known in (self._withdrawn, self._cancelled, self._nested):
            known.difference_update([item for item in known if item <= newest])
        return verdict


def _belongs(call: CallContext | None, call_id: int) -> bool:
    while call is not None:
        if call.call_id == call_id:
            return True
        call = call._parent
    return False


def read_call(message: dict[str, Any], link: Link, parent: CallContext | None) -> CallContext:
    """Return the call that `message` describes.

    Parameters
    ----------
    message : dict
        Of type ``call``.
    link : Link
        What connects the call to its caller.
    parent : CallContext or None
        The call that it is nested in.

    Returns
    -------
    CallContext
        Not started yet.

    Raises
    ------
    FrameError
        If a field is missing or of the wrong type.
    """
    call_id, op = message.get("id"), message.get("op")
    session_id, deadline_ms = message.get("session"), message.get("deadlineMs")
    if type(call_id) is not int or not isinstance(op, str):
        raise FrameError(f"a call without a usable id or op: {encode_json([call_id, op])[:200]}")
    if session_id is not None and not isinstance(session_id, str):
        raise FrameError(f"call {call_id}: session must be a string or null")
    deadline_s = None
    if isinstance(deadline_ms, (int, float)):
        deadline_s = time.monotonic() + deadline_ms / _MS_PER_S
    call = CallContext(
        call_id, session_id, op, deadline_s, trace=message.get("trace"), link=link, parent=parent
    )
    if message.get("trace") is not None:
        _check_trace(call)
    stream = message.get("stream")
    if stream is not None:
        call._credit = Credit(_credit_of(call_id, stream))
    if "batch" in message:
        call._batch = _batch_of(call, message["batch"])
    return call


def _check_trace(call: CallContext) -> None:
    trace: object = call.trace
    if not isinstance(trace, dict) or not all(isinstance(text, str) for text in trace.values()):
        raise FrameError(f"call {call.call_id}: trace must be an object of strings")


def _batch_of(call: CallContext, count: object) -> int:
    if type(count) is not int or count < 1:
        raise FrameError(f"call {call.call_id}: batch must be a number of at least 1")
    is_alone = call.session_id is None and call._credit is None and call._parent is None
    if not is_alone:
        raise FrameError(f"call {call.call_id}: a batch has no session, stream or parent")
    return count


def _credit_of(call_id: int, stream: object) -> int:
    count = stream.get("credit") if isinstance(stream, dict) else None
    if type(count) is not int or count < 1:
        raise FrameError(f"call {call_id}: stream must name a credit of at least 1")
    return count
