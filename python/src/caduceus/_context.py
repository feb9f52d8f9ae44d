"""Which call is running, for whom, and how much time is left for it?"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_current: ContextVar[CallContext | None] = ContextVar("caduceus_call", default=None)


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a handler can know about the call that it serves.

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
    """

    call_id: int
    session_id: str | None
    op: str
    deadline_s: float | None = None

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


def current_call() -> CallContext | None:
    """Return the call that this code runs for.

    Returns
    -------
    CallContext or None
        None outside a call, and in a thread that was started without the caller's context.
    """
    return _current.get()


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
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
