"""How do records of Python's `logging` reach the operator?

As ``log`` frames on the control lane (`docs/protocol.md` §6). Logging is never a reason for a call
to fail.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE_CHARACTERS_MAX = 8_192

_LEVELS = (
    (logging.CRITICAL, "critical"),
    (logging.ERROR, "error"),
    (logging.WARNING, "warning"),
    (logging.INFO, "info"),
)


class FrameHandler(logging.Handler):
    """Send every record from INFO up as a ``log`` message.

    Parameters
    ----------
    send : callable
        Takes one message; `Control.send`.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(logging.INFO)
        self._send = send
        self._thread = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a record that cannot be formatted or sent is dropped.

        Parameters
        ----------
        record : logging.LogRecord
            The record.
        """
        # The __str__ of an argument may log in its turn, and would end up here again without end.
        if getattr(self._thread, "is_busy", False):
            return
        self._thread.is_busy = True
        try:
            self._send(_message_of(record, self.format(record)))
        except Exception:
            # Whatever it is (a bad format string, a broken lane), it must not reach the code that
            # logged.
            return
        finally:
            self._thread.is_busy = False


def install(send: Callable[[dict[str, Any]], None]) -> None:
    """Send all records of the root logger, from INFO up, to Node.

    Parameters
    ----------
    send : callable
        Takes one message; `Control.send`.
    """
    root = logging.getLogger()
    root.addHandler(FrameHandler(send))
    root.setLevel(logging.INFO)


def _message_of(record: logging.LogRecord, text: str) -> dict[str, Any]:
    call = current_call()
    return {
        "type": "log",
        "level": next((name for number, name in _LEVELS if record.levelno >= number), "debug"),
        "logger": record.name,
        "message": redact(text)[:MESSAGE_CHARACTERS_MAX],
        "callId": None if call is None else call.call_id,
        "timeMs": int(record.created * 1000),
    }
