"""What does a failure of a language model mean to whoever called?

DSPy's classes become codes that callers branch on, and of which the recovery table knows whether
they pass by themselves.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterator

# By class, the nearest base first that is named here. Names, because importing DSPy takes a second.
_CODES = {
    "LMNotConfiguredError": "not_configured",
    "LMRateLimitError": "rate_limited",
    "LMTimeoutError": "timeout",
    "LMServerError": "unavailable",
    "LMLockTimeoutError": "unavailable",
    "LMTransportError": "connection_error",
    "LMStreamAssemblyError": "connection_error",
    "LMAuthError": "unauthorized",
    "LMBillingError": "quota_exceeded",
    "ContextWindowExceededError": "context_too_long",
    "LMInvalidRequestError": "invalid_request",
    "LMUnsupportedFeatureError": "unsupported",
    "AdapterParseError": "invalid_answer",
    # The rest of what a provider can do: mostly, to answer with what is no JSON.
    "LMProviderError": "invalid_answer",
    "LMUnexpectedError": "invalid_answer",
}

_CAUSES_MAX = 8


class ModelError(BridgeError):
    """A language model, or the way to it, failed; DSPy's own error is its cause."""


class CallerFaultError(BaseException):
    """A function of the caller's cannot be used. Not an `Exception`: DSPy goes on after those.

    Parameters
    ----------
    error : BridgeError
        What the call fails with.
    """

    def __init__(self, error: BridgeError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def translated() -> Iterator[None]:
    """Give errors of DSPy the codes of this bridge, inside a ``with`` block.

    Yields
    ------
    None

    Raises
    ------
    BridgeError
        In the place of what DSPy raised, if that is known here; what is not passes as it is.
    """
    try:
        yield
    except CallerFaultError as fault:
        raise fault.error from fault.error.__cause__
    except Exception as error:
        code = code_of(error)
        if code is None:
            raise
        wait_s = getattr(error, "retry_after", None)
        raise ModelError(_text_of(error), code=code, retry_after_s=wait_s) from error


def code_of(error: BaseException) -> str | None:
    """Say which code an error of DSPy has here.

    Parameters
    ----------
    error : BaseException
        Any error.

    Returns
    -------
    str or None
        None if it is not one of DSPy's that are known.
    """
    for base in type(error).__mro__:
        if base.__name__ in _CODES and base.__module__.split(".")[0] == "dspy":
            code = _CODES[base.__name__]
            is_late = code == "connection_error" and _comes_from_timeout(error)
            return "timeout" if is_late else code
    return None


def _comes_from_timeout(error: BaseException) -> bool:
    """Tell a server that is slow from one that is gone: DSPy has one class for both."""
    found: BaseException | None = error
    for _depth in range(_CAUSES_MAX):
        if found is None or isinstance(found, TimeoutError):
            break
        found = found.__cause__ or found.__context__
    return isinstance(found, TimeoutError)


def _text_of(error: Exception) -> str:
    retry_after_s = getattr(error, "retry_after", None)
    wait = "" if retry_after_s is None else f"; it says to try again in {retry_after_s:g} s"
    return f"{type(error).__name__}: {error}{wait}"
