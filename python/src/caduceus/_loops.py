"""On which event loop does a coroutine run that a thread has to run to its end?

On the one that this thread keeps, so that what a handler has bound to its loop (a connection, a
lock) is still good in the next call. While that loop is running itself, because a handler waits in
it for a callback, a nested coroutine gets a loop for its own length.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_kept = threading.local()


def run_to_end(
    awaitable: Awaitable[object], on_task: Callable[[asyncio.Task[Any]], None]
) -> object:
    """Run `awaitable` in this thread until it has ended.

    Parameters
    ----------
    awaitable : awaitable
        What a handler returned.
    on_task : callable
        Told the task before it runs, so that it can be cancelled.

    Returns
    -------
    object
        Its result. What it raises is passed on.
    """
    outer = asyncio._get_running_loop()
    if outer is None:
        return _run(_loop_of_thread(), awaitable, on_task)
    # The thread is inside a callback of `outer`, and asyncio refuses to run a loop inside a loop
    # unless the thread says that it has left the first.
    task = asyncio.current_task(outer)
    loop = asyncio.new_event_loop()
    if task is not None:
        asyncio.tasks._leave_task(outer, task)
    asyncio._set_running_loop(None)
    try:
        return _run(loop, awaitable, on_task)
    finally:
        loop.close()
        asyncio._set_running_loop(outer)
        if task is not None:
            asyncio.tasks._enter_task(outer, task)


def _run(
    loop: asyncio.AbstractEventLoop,
    awaitable: Awaitable[object],
    on_task: Callable[[asyncio.Task[Any]], None],
) -> object:
    task = loop.create_task(_await(awaitable))
    try:
        on_task(task)
        return loop.run_until_complete(task)
    except BaseException:
        # An interrupt or a SystemExit in another task leaves this one behind, suspended.
        if not task.done():
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        raise


async def _await(awaitable: Awaitable[object]) -> object:
    return await awaitable


def _loop_of_thread() -> asyncio.AbstractEventLoop:
    loop: asyncio.AbstractEventLoop | None = getattr(_kept, "loop", None)
    if loop is None or loop.is_closed():
        loop = asyncio.new_event_loop()
        # So that old code that asks for "the" loop outside of a coroutine finds this one.
        asyncio.set_event_loop(loop)
        _kept.loop = loop
    return loop
