"""Has a call ended by itself, or because its caller had enough?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caduceus._link import CallCancelled

if TYPE_CHECKING:
    from caduceus._context import CallContext

_CAUSES_SEARCHED_MAX = 16


def code_of_end(call: CallContext, error: BaseException) -> str | None:
    """Say whether `error` ended `call` because it had been cancelled.

    Parameters
    ----------
    call : CallContext
        The call.
    error : BaseException
        What its handler raised.

    Returns
    -------
    str or None
        ``"cancelled"``, or None when the error's own code holds.
    """
    found: BaseException | None = error
    for _ in range(_CAUSES_SEARCHED_MAX):
        if found is None:
            return None
        if isinstance(found, CallCancelled):
            return "cancelled"
        if call.is_cancelled and _is_interruption(found):
            return "cancelled"
        found = found.__cause__ or found.__context__
    return None


def _is_interruption(error: BaseException) -> bool:
    # By its name: asyncio is imported only where somebody uses it.
    return isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError"
