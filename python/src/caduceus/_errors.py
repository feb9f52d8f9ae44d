"""How does an exception become data that another process can show?

`docs/protocol.md` §4, error objects. Never pickles: the other side is not Python.
"""

from __future__ import annotations

import math
import os
import traceback
from typing import TYPE_CHECKING, Any

from caduceus._secrets import redact

if TYPE_CHECKING:
    from types import TracebackType

TEXT_CHARACTERS_MAX = 64 * 1024
"""The longest message and the longest traceback of one error object."""

CAUSE_DEPTH_MAX = 8

_MS_PER_S = 1_000

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_OWN_FILES = frozenset(
    os.path.join(_FOLDER, name)
    for name in (
        *("worker.py", "base_bridge.py", "_loader.py", "_call_loop.py", "_callbacks.py"),
        *("_streams.py", "_loops.py", "_batched.py", "_batch_runs.py", "_batch_reply.py"),
        *("_operations.py", "_standalone.py", "_unfolding.py"),
    )
)
_IMPORT_FILES = ("<frozen importlib", "<frozen runpy")


class BridgeError(Exception):
    """An error that a bridge raises on purpose, with a code that callers can branch on.

    Parameters
    ----------
    message : str
        What went wrong, for a reader.
    code : str, default "python_error"
        One of the codes of `docs/protocol.md` §4.
    retry_after_s : float, optional
        Not before this time is another try worth it, in seconds: a provider's ``Retry-After``.

    Attributes
    ----------
    code : str
        As given.
    retry_after_s : float or None
        As given.
    """

    def __init__(
        self, message: str, *, code: str = "python_error", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s


def error_object(error: BaseException) -> dict[str, Any]:
    """Describe `error` as the protocol's error object.

    Parameters
    ----------
    error : BaseException
        The exception, as caught.

    Returns
    -------
    dict
        ``type``, ``message``, ``traceback``, ``code`` and, if there is one, ``cause``, which is
        again an error object; at most eight causes deep. Texts are bounded and free of concealed
        secrets.
    """
    return _describe(error, causes_left=CAUSE_DEPTH_MAX, seen={id(error)}, with_chain=True)


def _describe(
    error: BaseException, *, causes_left: int, seen: set[int], with_chain: bool
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": type(error).__name__,
        "message": _bound_head(redact(_message_of(error))),
        "traceback": _bound_middle(redact(_traceback_of(error, with_chain=with_chain))),
        "code": error.code if isinstance(error, BridgeError) else "python_error",
    }
    wait_s = error.retry_after_s if isinstance(error, BridgeError) else None
    if wait_s is not None and 0 <= wait_s < math.inf:
        described["retryAfterMs"] = round(wait_s * _MS_PER_S)
    cause = _cause_of(error)
    if cause is not None and causes_left > 0 and id(cause) not in seen:
        seen.add(id(cause))
        # The outermost traceback has the whole story, as Python prints it; a cause adds only its
        # own part.
        described["cause"] = _describe(
            cause, causes_left=causes_left - 1, seen=seen, with_chain=False
        )
    return described


def _cause_of(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:
        # The __str__ of an exception is user code like any other.
        return f"<the message of {type(error).__name__} raised {type(failure).__name__}>"


def _traceback_of(error: BaseException, *, with_chain: bool) -> str:
    try:
        lines = traceback.format_exception(
            type(error), error, _without_own_frames(error.__traceback__), chain=with_chain
        )
        return "".join(lines)
    except Exception as failure:
        name = type(error).__name__
        return f"{name}: <its traceback could not be formatted: {type(failure).__name__}>\n"


def _without_own_frames(start: TracebackType | None) -> TracebackType | None:
    """Skip the frames between the worker's loop and the first line of the user's code."""
    current = start
    while current is not None:
        file_name = current.tb_frame.f_code.co_filename
        if file_name not in _OWN_FILES and not file_name.startswith(_IMPORT_FILES):
            return current
        current = current.tb_next
    # Raised by the worker itself: then these frames are the story.
    return start


def _bound_head(text: str) -> str:
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    note = f"… ({len(text)} characters)"
    return text[: TEXT_CHARACTERS_MAX - len(note)] + note


def _bound_middle(text: str) -> str:
    """Keep both ends: a traceback begins with where from and ends with what."""
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    note = f"\n… ({len(text)} characters)\n"
    half = (TEXT_CHARACTERS_MAX - len(note)) // 2
    return text[:half] + note + text[-half:]
