"""How is a text read while it is being written?

A thread writes and the call's own reads, because Transformers hands tokens out from inside a loop
that it does not leave. Between them is a short queue, so that a slow reader stops the writer.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus.bridges._transformers_generate import Request, Writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caduceus.bridges._transformers_imports import Framework
    from caduceus.bridges._transformers_models import Weights

AHEAD_PIECES_MAX = 16
"""How many pieces a stream is written ahead of its reader."""

_LOOK_S = 0.05
"""How often a thread that waits for the other one looks whether it still should."""


def write_pieces(
    framework: Framework, weights: Weights, request: Request, threads_count: int
) -> Iterator[dict[str, Any]]:
    """Write a text piece by piece.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    weights : Weights
        The model.
    request : Request
        What to write.
    threads_count : int
        How many threads torch computes with.

    Yields
    ------
    dict
        ``text``; the last one, whose text is empty, also has ``finish_reason`` and ``usage``.

    Raises
    ------
    CallCancelled
        If the caller has had enough.
    """
    call = current_call()
    stream = _Stream(framework, weights, request, threads_count)
    stream.start()
    try:
        while True:
            kind, value = stream.next()
            if call is not None:
                call.raise_if_cancelled()
            if kind == "error":
                raise value
            if kind == "piece":
                yield {"text": value}
            elif kind == "end":
                yield {"text": "", **value}
                return
    finally:
        stream.close()


class _Stream:
    """A thread that writes, and what it has written that nobody has read yet."""

    def __init__(
        self, framework: Framework, weights: Weights, request: Request, threads_count: int
    ) -> None:
        self._framework, self._threads_count = framework, threads_count
        self._call = current_call()
        self._is_left = threading.Event()
        self._ready: queue.Queue[tuple[str, Any]] = queue.Queue(AHEAD_PIECES_MAX)
        self._writing = Writing(framework, weights, request, self._put_piece, self._is_over)
        # With the call's context: what a handler asks of it holds in this thread, too.
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=lambda: context.run(self._work), name="caduceus-generate", daemon=True
        )

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def next(self) -> tuple[str, Any]:
        """Return what comes next, or ``("nothing", None)`` after a while."""
        try:
            return self._ready.get(timeout=_LOOK_S)
        except queue.Empty:
            if self._thread.is_alive() or not self._ready.empty():
                return "nothing", None
            # Not reachable unless the thread was torn down from outside.
            error = BridgeError("generate: the writing thread has ended without a word")
            return "error", error

    def close(self) -> None:
        """Have the writer stop after its token, and wait until it has.

        The call is not over before: the next one would compute beside it. If a kernel never
        returns, the pool ends the process by the last stage of the cancellation.
        """
        self._is_left.set()
        interruption: BaseException | None = None
        while self._thread.is_alive():
            try:
                self._thread.join(_LOOK_S)
            except BaseException as error:
                interruption = error
        if interruption is not None:
            raise interruption

    def _work(self) -> None:
        # OpenMP counts for each thread by itself.
        self._framework.torch.set_num_threads(self._threads_count)
        try:
            end = self._writing.run()
        except BaseException as error:
            self._put("error", error)
        else:
            self._put("end", end)

    def _put_piece(self, piece: str) -> None:
        self._put("piece", piece)

    def _put(self, kind: str, value: object) -> None:
        while not self._is_over():
            try:
                self._ready.put((kind, value), timeout=_LOOK_S)
            except queue.Full:
                continue
            return

    def _is_over(self) -> bool:
        return self._is_left.is_set() or (self._call is not None and self._call.is_cancelled)
