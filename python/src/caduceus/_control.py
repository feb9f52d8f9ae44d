"""Who listens to Node while the handlers compute?

A daemon thread on the control lane. It hands over the answer to ``hello``, passes ``shutdown`` on,
and ends the whole process group the moment Node is gone. `docs/protocol.md` §3 and §7 are the norm.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from caduceus._frames import FrameError, encode_frame

if TYPE_CHECKING:
    from caduceus._interrupts import InterruptGate
    from caduceus._lanes import Lanes


def kill_own_group() -> NoReturn:
    """End this process at once, and with it everything that it has started.

    Without its own process group only the process ends: the group would be somebody else's.
    """
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def end_for_protocol_error(finding: str) -> NoReturn:
    """Say what was wrong on the stderr lane, then end the process and its group.

    Parameters
    ----------
    finding : str
        What was found, and on which lane.
    """
    # The descriptor, not sys.stderr: user code may have replaced that, or hold its lock.
    try:
        os.write(2, f"caduceus: protocol error: {finding}\n".encode(errors="backslashreplace"))
    except OSError:
        # Nobody reads any more; there is nobody left to tell.
        kill_own_group()
    kill_own_group()


class Control:
    """The control lane: one thread that reads, any thread may write.

    Parameters
    ----------
    lanes : Lanes
        The control lane is read and written; the calls lane is stopped on shutdown.
    gate : InterruptGate
        Keeps SIGINT from cutting a frame in two.

    Attributes
    ----------
    is_stopping : bool
        Whether Node has asked the worker to end. The call loop takes no further call then.
    """

    def __init__(self, lanes: Lanes, gate: InterruptGate) -> None:
        self.is_stopping = False
        self._lanes = lanes
        self._gate = gate
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
        with self._gate.shield(), self._send_lock:
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
                message = self._lanes.control.receive()
                if message is None:
                    kill_own_group()
                self._take(message)
        except FrameError as error:
            end_for_protocol_error(f"{error} (control lane)")
        except OSError:
            # A reset connection says the same as its end.
            kill_own_group()

    def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "welcome" | "refuse":
                self._answers.put(message)
            case "shutdown":
                self.is_stopping = True
                self._lanes.calls.stop_receiving()
            case unknown:
                raise FrameError(f"unknown message type {unknown!r}")

    def _forget_lock(self) -> None:
        self._send_lock = threading.Lock()
