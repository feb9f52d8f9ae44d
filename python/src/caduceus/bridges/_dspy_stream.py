"""How does a program's answer come out token by token, in a handler that is a plain generator?

DSPy streams in an event loop. One of its own runs here for the length of the stream, and only while
the next item is waited for: a reader that is slow stops the model's connection too.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from caduceus._link import CallCancelled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import ModuleType

    from caduceus._context import CallContext

CLOSE_TIMEOUT_S = 1.0
"""How long a stream that is given up may take to close its connection; a process ends the rest."""

_END = object()


def stream_outputs(
    dspy: ModuleType,
    module: Any,  # noqa: ANN401 - DSPy's
    inputs: dict[str, Any],
    settings: dict[str, Any],
) -> AsyncIterator[Any]:
    """Run a program, and give its text fields as they come.

    Parameters
    ----------
    dspy : module
        DSPy.
    module : dspy.Module
        The program.
    inputs : dict
        Its inputs.
    settings : dict
        Of ``dspy.context``; the connections of its ``lm`` to this event loop are closed at the end.

    Returns
    -------
    async iterator
        Of ``{field, text}``; the last item is the ``dspy.Prediction``.
    """
    listeners = [
        dspy.streaming.StreamListener(field, predict, name, allow_reuse=True)
        for name, predict in module.named_predictors()
        for field in _text_fields(module, name, predict)
    ]
    return _items(dspy, module, inputs, settings, listeners)


async def _items(
    dspy: ModuleType,
    module: Any,  # noqa: ANN401 - DSPy's
    inputs: dict[str, Any],
    settings: dict[str, Any],
    listeners: list[Any],
) -> AsyncIterator[Any]:
    try:
        with dspy.context(**settings):
            run = dspy.streamify(module, stream_listeners=listeners, is_async_program=True)
            async for value in run(**inputs):
                if isinstance(value, dspy.streaming.StreamResponse):
                    if value.chunk:
                        yield {"field": value.signature_field_name, "text": value.chunk}
                elif isinstance(value, dspy.Prediction):
                    yield value
    finally:
        await settings["lm"].aclose()


def _text_fields(module: Any, name: str, predict: Any) -> list[str]:  # noqa: ANN401 - DSPy's
    """Return the fields whose tokens are for the reader: an agent's own steps are not."""
    if name == "react" and hasattr(module, "extract"):
        return []
    return [
        field
        for field, info in predict.signature.output_fields.items()
        if info.annotation is str or getattr(info.annotation, "__name__", "") == "Reasoning"
    ]


def read_from_loop(
    make: Callable[[], AsyncIterator[Any]], call: CallContext | None
) -> Iterator[Any]:
    """Read an asynchronous iterator from code that is not.

    Parameters
    ----------
    make : callable
        Makes the iterator, inside the loop.
    call : CallContext, optional
        Whose cancellation ends it.

    Yields
    ------
    object
        Its items.

    Raises
    ------
    CallCancelled
        If `call` is cancelled. Whatever the iterator raises is passed on.
    """
    loop = asyncio.new_event_loop()
    reader = _Reader(loop)
    pump = loop.create_task(reader.pump(make))
    if call is not None:
        call._add_waker(reader.stop)
    try:
        while True:
            with _alone():
                item = loop.run_until_complete(reader.next(pump))
            if item is _END:
                return
            yield item
    finally:
        if call is not None:
            call._remove_waker(reader.stop)
        with _alone():
            _close(loop, pump)


class _Reader:
    """Items on their way from the task that makes them to the one that waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # One item: what is asked of the model is what the reader has room for.
        self._queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Have `next` raise, from any thread."""
        # A loop that was closed meanwhile has nobody left to stop.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def pump(self, make: Callable[[], AsyncIterator[Any]]) -> None:
        """Make the items. One task from beginning to end: what an iterator enters it must leave."""
        async for item in make():
            await self._queue.put(item)

    async def next(self, pump: asyncio.Task[None]) -> object:
        """Wait for an item, the end or a stop, whichever is first."""
        if self._stopped.is_set():
            raise CallCancelled("the stream was cancelled")
        getting = asyncio.ensure_future(self._queue.get())
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            # Bounded by the call's deadline: Node cancels the call then.
            await asyncio.wait((getting, stopping, pump), return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                raise CallCancelled("the stream was cancelled")
            if getting.done():
                return getting.result()
        finally:
            stopping.cancel()
            getting.cancel()
            # So that neither outlives the loop's run.
            await asyncio.wait((getting, stopping))
        if not getting.cancelled():
            return getting.result()
        if not self._queue.empty():
            return self._queue.get_nowait()
        pump.result()
        return _END


def _close(loop: asyncio.AbstractEventLoop, pump: asyncio.Task[None]) -> None:
    try:
        pump.cancel()
        loop.run_until_complete(asyncio.wait((pump,), timeout=CLOSE_TIMEOUT_S))
        if not pump.done():
            # What does not end is left as it is; its worker is ended, if anything is to be.
            loop.set_exception_handler(lambda _loop, _context: None)
        elif not pump.cancelled():
            # Whoever reads has been told already; asyncio would log it.
            pump.exception()
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@contextmanager
def _alone() -> Iterator[None]:
    """Let a loop run inside a callback that another loop of this thread waits for."""
    outer = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(outer)
