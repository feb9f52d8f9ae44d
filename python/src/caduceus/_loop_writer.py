"""How does an event loop write frames without standing still while Node is slow to read them?

What the socket surely takes is written at once. Anything else is written by a thread, in order.
"""

from __future__ import annotations

import queue
import select
import threading
from typing import TYPE_CHECKING

from caduceus._frames import frame_bytes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caduceus._lanes import Lane

    Parts = Sequence[bytes | memoryview]

SHORT_BYTES = 32 * 1024
"""A stream socket that says that it can be written to takes this much without waiting: Linux says
so while three quarters of the buffer (208 KiB) are free, macOS (8 KiB) may wait for a moment."""

QUEUED_FRAMES_MAX = 64
"""How many frames may wait to be written before whoever writes one more has to wait too."""

CLOSE_TIMEOUT_S = 60.0
"""How long the last frames may take: a Node that does not read that long will kill the process."""


class LoopWriter:
    """Write frames in order; from any thread, one at a time.

    Parameters
    ----------
    lane : Lane
        Written by nobody else.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._poll = select.poll()
        self._poll.register(lane.fileno(), select.POLLOUT)
        self._queue: queue.Queue[Parts | None] = queue.Queue(QUEUED_FRAMES_MAX)
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def write(self, parts: Parts) -> None:
        """Write one frame, or have it written.

        Parameters
        ----------
        parts : sequence of bytes or memoryview
            From an `Outbox`.

        Raises
        ------
        OSError
            If the lane is broken.
        """
        if self._error is not None:
            raise self._error
        is_idle = self._queue.unfinished_tasks == 0
        if is_idle and frame_bytes_of(parts) <= SHORT_BYTES and self._poll.poll(0):
            self._lane.send(parts)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="caduceus-replies", daemon=True)
            self._thread.start()
        self._queue.put(parts)

    def close(self) -> None:
        """Wait until everything is written."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while (parts := self._queue.get()) is not None:
            try:
                if self._error is None:
                    self._lane.send(parts)
            except OSError as error:
                self._error = error
            finally:
                self._queue.task_done()
