"""How does a thread wait for a lane, and how is it called away from it?"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING

from caduceus._ending import end_for_protocol_error
from caduceus._frames import FrameError

if TYPE_CHECKING:
    from caduceus._frames import Message
    from caduceus._lanes import Lane

_MS_PER_S = 1000
_POKES_READ = 4096


class LaneReader:
    """The calls lane as its one reader sees it.

    Parameters
    ----------
    lane : Lane
        The lane. A malformed message on it ends the process.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._pipe: tuple[int, int] | None = None

    def allow_pokes(self) -> None:
        """Have `poke` work from now on; until then nobody needs its two descriptors."""
        if self._pipe is None:
            pipe = os.pipe()
            os.set_blocking(pipe[0], False)
            os.set_blocking(pipe[1], False)
            self._pipe = pipe

    def poke(self) -> None:
        """End the `is_readable` that waits now, or the next one; from any thread."""
        # A full pipe has been poked enough.
        if self._pipe is not None:
            with suppress(BlockingIOError):
                os.write(self._pipe[1], b"\0")

    def fileno(self) -> int:
        """Return the descriptor of the lane."""
        return self._lane.fileno()

    def receive_nowait(self) -> Message | None:
        """Return the next message if it has been read already."""
        return self._lane.receive_nowait()

    def receive(self) -> Message | None:
        """Return the next message, waiting for it; None at the end of the lane.

        Raises
        ------
        OSError
            If the lane is broken.
        """
        try:
            return self._lane.receive()
        except FrameError as error:
            end_for_protocol_error(f"{error} (calls lane)")

    def is_readable(self, timeout_s: float | None) -> bool:
        """Wait until there is something to receive.

        Parameters
        ----------
        timeout_s : float or None
            For how long, in seconds; None is until a poke. With 0 pokes are left alone.

        Returns
        -------
        bool
            False if the time is over or the wait was ended.
        """
        descriptor = self._lane.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if self._pipe is not None and timeout_s != 0:
            poll.register(self._pipe[0], select.POLLIN)
        # Rounded up: waking a moment too early would mean to wait once more.
        timeout_ms = None if timeout_s is None else max(0, int(timeout_s * _MS_PER_S) + 1)
        found = dict(poll.poll(0 if timeout_s == 0 else timeout_ms))
        if self._pipe is not None and self._pipe[0] in found:
            with suppress(BlockingIOError):
                os.read(self._pipe[0], _POKES_READ)
        return descriptor in found
