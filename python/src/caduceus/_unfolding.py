"""What if a handler returns not a value, but a coroutine or a generator that makes it?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Generator
from typing import TYPE_CHECKING, Any

from caduceus._streams import as_async, collect, collect_async, stream, stream_async

if TYPE_CHECKING:
    from asyncio import Task

    from caduceus._context import CallContext
    from caduceus._streams import SendItem
    from caduceus.base_bridge import BaseBridge

PLAIN = frozenset((dict, list, str, int, float, bool, tuple, type(None)))
"""Types of results that are surely neither awaitable nor a generator."""


class Unfolder:
    """Run what handlers return until it is a value, or a stream that has ended.

    Parameters
    ----------
    bridge : BaseBridge
        Told of failures that its `handle_command` has not seen.
    send_item : callable
        Sends one value of a stream.
    """

    def __init__(self, bridge: BaseBridge, send_item: SendItem) -> None:
        self._bridge = bridge
        self._send_item = send_item

    def unfold(self, result: object, call: CallContext) -> object:
        """Return the value that `result` stands for, after running it in this thread.

        Parameters
        ----------
        result : object
            What a handler returned.
        call : CallContext
            Its call; a stream if it has credit.

        Returns
        -------
        object
            What is to be replied; None behind a stream.

        Raises
        ------
        CallCancelled
            If the call was cancelled. What the coroutine or generator raises is passed on.
        """
        try:
            if isinstance(result, Awaitable):
                result = self._run_to_end(result, call)
            if isinstance(result, Generator):
                if call._credit is None:
                    return collect(result, call)
                stream(result, call, self._send_item)
                return None
            if isinstance(result, AsyncGenerator):
                if call._credit is None:
                    return self._run_to_end(collect_async(result, call), call)
                self._run_to_end(stream_async(result, call, self._send_item), call)
                return None
        except BaseException:
            self._bridge.count_error()
            raise
        return self._as_only_item(result, call)

    async def unfold_async(self, result: object, call: CallContext) -> object:
        """Do what `unfold` does, in the task that this is.

        Parameters
        ----------
        result : object
            As for `unfold`.
        call : CallContext
            As for `unfold`.

        Returns
        -------
        object
            As for `unfold`.

        Raises
        ------
        CallCancelled
            As for `unfold`.
        """
        try:
            if isinstance(result, Awaitable):
                result = await result
            if isinstance(result, Generator):
                result = as_async(result)
            if isinstance(result, AsyncGenerator):
                if call._credit is None:
                    return await collect_async(result, call)
                await stream_async(result, call, self._send_item)
                return None
        except BaseException:
            self._bridge.count_error()
            raise
        return self._as_only_item(result, call)

    def _as_only_item(self, result: object, call: CallContext) -> object:
        if call._credit is not None and call._credit.try_take():
            self._send_item(call, 0, result)
            return None
        return result

    def _run_to_end(self, awaitable: Awaitable[Any], call: CallContext) -> object:
        # asyncio costs tens of milliseconds to import: only who uses it pays.
        from caduceus._loops import run_to_end

        def on_task(task: Task[Any]) -> None:
            call._loop, call._task = task.get_loop(), task

        try:
            return run_to_end(awaitable, on_task)
        finally:
            call._task = None
