"""Who listens to Node while the handlers compute?

A daemon thread on the control lane. It hands over the answer to ``hello``, answers pings, passes
on credit, cancellation, withdrawal and ``shutdown``, and ends the whole process group the moment
Node is gone. `docs/protocol.md` §3, §4.4 and §7 are the norm.
"""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from caduceus._ending import end_for_protocol_error, kill_own_group
from caduceus._frames import FrameError, encode_frame

if TYPE_CHECKING:
    from caduceus._calls import CallTable
    from caduceus._interrupts import InterruptGate
    from caduceus._lanes import Lanes

_COUNT_MAX = 2**53 - 1


class Control:
    """The control lane: one thread that reads, any thread may write.

    Parameters
    ----------
    lanes : Lanes
        The control lane is read and written; the calls lane is stopped on shutdown.
    gate : InterruptGate
        Keeps SIGINT from cutting a frame in two, and knows what the main thread runs.
    table : CallTable
        The calls that messages are about.

    Attributes
    ----------
    may_raise : bool
        Whether handlers run where `CallCancelled` can be raised in them: not in `threads` mode.
    """

    def __init__(self, lanes: Lanes, gate: InterruptGate, table: CallTable) -> None:
        self.may_raise = True
        self._lanes = lanes
        self._gate = gate
        self._table = table
        self._pid = os.getpid()
        self._send_lock = threading.Lock()
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        # At a fork another thread may be holding the lock, and that thread does not exist in the
        # child.
        os.register_at_fork(after_in_child=self._forget_lock)

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="caduceus-control", daemon=True).start()

    def send(self, header: dict[str, Any]) -> None:
        """Send one message to Node. Safe from every thread; a forked child sends nothing.

        Parameters
        ----------
        header : dict
            An encodable message of the control lane.

        Raises
        ------
        OSError
            If the lane is broken.
        """
        frame = encode_frame(header)
        if os.getpid() != self._pid:
            return
        with self._gate, self._send_lock:
            self._lanes.control.send(frame)

    def wait_for_answer(self, timeout_s: float) -> dict[str, Any] | None:
        """Return Node's answer to ``hello``.

        Parameters
        ----------
        timeout_s : float
            How long to wait, in seconds.

        Returns
        -------
        dict or None
            The ``welcome`` or ``refuse`` message; None if none came in time.
        """
        try:
            return self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _run(self) -> None:
        try:
            while True:
                received = self._lanes.control.receive()
                if received is None:
                    kill_own_group()
                self._take(received[0])
        except FrameError as error:
            end_for_protocol_error(f"{error} (control lane)")
        except OSError:
            # A reset connection says the same as its end.
            kill_own_group()

    def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "ping":
                running = self._gate.running
                call_id = None if running is None else running.call_id
                self.send({"type": "pong", "seq": _whole(message, "seq"), "running": call_id})
            case "credit":
                self._table.add_credit(_whole(message, "id"), _whole(message, "n", at_least=1))
            case "cancel":
                self._cancel(_whole(message, "id"), message.get("stage"))
            case "withdraw":
                call_id = _whole(message, "id")
                is_withdrawn = self._table.withdraw(call_id)
                self.send({"type": "withdrawn", "id": call_id, "ok": is_withdrawn})
            case "welcome" | "refuse":
                self._answers.put(message)
            case "shutdown":
                # With a call in flight the lane stays open: its callbacks are answered there.
                if self._table.stop():
                    self._lanes.calls.stop_receiving()
            case unknown:
                raise FrameError(f"unknown message type {unknown!r}")

    def _cancel(self, call_id: int, stage: object) -> None:
        if stage not in ("flag", "raise"):
            raise FrameError(f"cancel {call_id}: unknown stage {stage!r}")
        is_raise_wanted = stage == "raise" and self.may_raise
        calls = self._table.cancel(call_id, is_raise_wanted=is_raise_wanted)
        if not is_raise_wanted or not calls:
            return
        # In this order: if the main thread looks before the call has a task, it raises at once.
        self._gate.ask_main_thread()
        for call in calls:
            loop = call._loop
            if loop is not None:
                # A loop that was closed meanwhile has nothing left to cancel.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(call._cancel_task)

    def _forget_lock(self) -> None:
        self._send_lock = threading.Lock()


def _whole(message: dict[str, Any], field: str, *, at_least: int = 0) -> int:
    value = message.get(field)
    if type(value) is not int or not at_least <= value <= _COUNT_MAX:
        raise FrameError(
            f"{message['type']}: {field} must be a whole number from {at_least}, found {value!r}"
        )
    return value
