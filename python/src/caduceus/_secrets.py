"""Which strings must never leave the process in an error or a log record?

A provider may quote the key that it refuses in its error message, and that message becomes an error
object. A bridge names such strings here when it receives them.
"""

from __future__ import annotations

import threading

_CHARACTERS_MIN = 6
"""Shorter strings are not concealed: that would cut holes into ordinary words."""

REPLACEMENT = "[secret]"

_lock = threading.Lock()
_secrets: tuple[str, ...] = ()


def conceal(secret: str) -> None:
    """Replace `secret`, from now on, wherever it occurs in errors and log records of this process.

    Parameters
    ----------
    secret : str
        An API key, a password. Strings of fewer than six characters are ignored.
    """
    global _secrets
    with _lock:
        if len(secret) >= _CHARACTERS_MIN and secret not in _secrets:
            # Longest first: a secret that begins with another one must not be left half readable.
            _secrets = tuple(sorted((*_secrets, secret), key=len, reverse=True))


def redact(text: str) -> str:
    """Return `text` with every concealed string replaced.

    Parameters
    ----------
    text : str
        A message or a traceback.

    Returns
    -------
    str
        The text that may be sent.
    """
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, REPLACEMENT)
    return text
