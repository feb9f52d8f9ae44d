"""What went wrong at the model's server, in words that the recovery table knows?

The original exception stays as the cause, with its traceback.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterator

# By the names of classes, outermost first: httpx and httpx2, and what of them OpenAI's client
# wraps, have the same ones.
_CODES = {
    "APITimeoutError": "timeout",
    "TimeoutException": "timeout",
    "StreamChunkTimeoutError": "timeout",
    "TimeoutError": "timeout",
    "APIConnectionError": "connection_error",
    "TransportError": "connection_error",
    "ConnectionError": "connection_error",
    "RateLimitError": "rate_limited",
    "InternalServerError": "unavailable",
    "AuthenticationError": "unauthorized",
    "PermissionDeniedError": "unauthorized",
    "NotFoundError": "model_not_found",
    "APIResponseValidationError": "invalid_response",
    "JSONDecodeError": "invalid_response",
    "GraphRecursionError": "step_limit",
}
_QUOTA = "insufficient_quota"


@contextmanager
def translated() -> Iterator[None]:
    """Give what is raised inside a code of this package.

    Raises
    ------
    BridgeError
        With one of the codes ``timeout``, ``connection_error``, ``rate_limited``, ``unavailable``,
        ``unauthorized``, ``model_not_found``, ``quota_exceeded``, ``invalid_response`` or
        ``step_limit``. Everything else is passed on as it is.
    """
    try:
        yield
    except BridgeError:
        raise
    except Exception as error:
        code = code_of(error)
        if code is None:
            raise
        raise BridgeError(
            _message_of(error, code), code=code, retry_after_s=_seconds(_retry_after(error))
        ) from error


def code_of(error: Exception) -> str | None:
    """Return the code for an exception of LangChain, OpenAI's client or its connections.

    Parameters
    ----------
    error : Exception
        As caught.

    Returns
    -------
    str or None
        None if it is none of those that have one.
    """
    for kind in type(error).__mro__:
        code = _CODES.get(kind.__name__)
        if code == "rate_limited" and getattr(error, "code", None) == _QUOTA:
            # Of the same class and status, and no wait helps.
            return "quota_exceeded"
        if code is not None:
            return code
    return None


def _message_of(error: Exception, code: str) -> str:
    text = str(error) or type(error).__name__
    match code:
        case "invalid_response":
            return f"the model's server sent what is no JSON: {text}"
        case "step_limit":
            return "the agent made as many steps as it may (max_steps) and had no answer by then"
        case _:
            wait_s = _retry_after(error)
            return text if wait_s is None else f"{text} (its server says: try again in {wait_s} s)"


def _retry_after(error: Exception) -> str | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    found = None if headers is None else headers.get("retry-after")
    return found if isinstance(found, str) else None


def _seconds(header: str | None) -> float | None:
    """Read ``Retry-After``; where it is a date, nobody has ever seen a model's server send one."""
    try:
        return None if header is None else float(header)
    except ValueError:
        return None
