"""When may a signal stop the handler that the main thread runs?

Only while it serves a call whose caller has stopped waiting, and never in the middle of a frame.
Two signals ask for it: SIGINT, which also ends what the kernel waits for, and one that only this
process sends to itself, which is how the control thread has `CallCancelled` raised.

The decision is made in the main thread at the moment of the raising, by the handler of the signal.
So there is nothing that could arrive late and hit the next call, as an exception that another
thread has set asynchronously would.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from typing import TYPE_CHECKING

from caduceus._context import current
from caduceus._link import CallCancelled

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from caduceus._context import CallContext

RAISE_SIGNAL = getattr(signal, "SIGRTMAX", signal.SIGUSR2)
"""Never sent through the kernel: only its Python handler is run. Chosen for being nobody's."""


class InterruptGate:
    """Decide what a signal does to the main thread.

    As a context manager, put that off until the end of the ``with`` block; what has arrived
    meanwhile is raised there.

    Python runs signal handlers in the main thread only, so no lock is needed.

    Attributes
    ----------
    running : CallContext or None
        The call that the main thread runs, the innermost one. Set by the call loop, read by the
        control thread.
    shields : int
        How many blocks put interrupts off. Set to 0 by the call loop around a handler.
    """

    __slots__ = ("_deferred", "_main", "running", "shields")

    def __init__(self) -> None:
        self.running: CallContext | None = None
        self._main = threading.main_thread().ident
        self.shields = 0
        self._deferred: type[BaseException] | None = None

    def install(self) -> None:
        """Become the process's handler of both signals. Call it from the main thread."""
        signal.signal(signal.SIGINT, self._on_interrupt)
        signal.signal(RAISE_SIGNAL, self._on_raise)

    def ask_main_thread(self) -> None:
        """Have the main thread raise `CallCancelled` if it runs a call that wants it.

        From any thread. A wait in the kernel is not ended by it: SIGINT does that.
        """
        _thread.interrupt_main(RAISE_SIGNAL)

    def __enter__(self) -> None:
        if threading.get_ident() == self._main:
            self.shields += 1

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if threading.get_ident() != self._main:
            return
        self.shields -= 1
        if self.shields == 0 and self._deferred is not None:
            kind, self._deferred = self._deferred, None
            # What is being raised already ends the call as well.
            if error is None:
                self._stop(kind)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._decide(KeyboardInterrupt)

    def _on_raise(self, _number: int, _frame: FrameType | None) -> None:
        self._decide(CallCancelled)

    def _decide(self, kind: type[BaseException]) -> None:
        if self.shields:
            self._deferred = kind
        else:
            self._stop(kind)

    def _stop(self, kind: type[BaseException]) -> None:
        # On an event loop several calls take turns, and the context tells which one it is.
        call = current.get()
        if call is None or call._task is None:
            call = self.running
        if call is None or call._is_over or not call.is_cancelled:
            return
        if kind is CallCancelled and (call._is_raised or not call._is_raise_wanted):
            return
        task = call._task
        if task is not None:
            asyncio = sys.modules["asyncio"]
            inside = asyncio.current_task(call._loop)
            if self.running is None and kind is KeyboardInterrupt:
                # In `asyncio` mode that one would end the event loop, and its other calls with it.
                kind = CallCancelled
            is_user_code = inside is task or (inside is not None and kind is KeyboardInterrupt)
            if call._waits or not is_user_code:
                # Raised now, it would hit the event loop, or the reading of the calls lane. The
                # task is where the handler is.
                if call._loop is not None and not call._loop.is_closed():
                    call._loop.call_soon_threadsafe(task.cancel)
                return
        call._is_raised = True
        raise kind(f"call {call.call_id} ({call.op}) was cancelled")
