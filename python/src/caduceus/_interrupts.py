"""When may SIGINT raise KeyboardInterrupt?

Only inside a handler, and never while a frame is being written: an interrupt between two calls
would end the worker, and one in the middle of a frame would make the rest of the stream unreadable.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class InterruptGate:
    """Decide what a SIGINT does.

    Python runs signal handlers in the main thread only, so no lock is needed.

    Attributes
    ----------
    is_open : bool
        Whether a handler runs, so that there is something to interrupt. Set by the call loop.
    """

    __slots__ = ("_is_deferred", "_is_shielded", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._is_shielded = False
        self._is_deferred = False

    def install(self) -> None:
        """Become the process's SIGINT handler. Call it from the main thread."""
        signal.signal(signal.SIGINT, self._on_signal)

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Put an interrupt off until the end of the ``with`` block.

        Raises
        ------
        KeyboardInterrupt
            At the end of the block, if one arrived inside it.
        """
        if threading.current_thread() is not threading.main_thread() or self._is_shielded:
            yield
            return
        self._is_shielded = True
        try:
            yield
        finally:
            self._is_shielded = False
            if self._is_deferred:
                self._is_deferred = False
                if self.is_open:
                    raise KeyboardInterrupt

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self.is_open:
            return
        if self._is_shielded:
            self._is_deferred = True
            return
        raise KeyboardInterrupt
