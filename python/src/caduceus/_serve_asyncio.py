"""How do calls run when a bridge says that its handlers are coroutines that may take turns?

Each as a task of one event loop, which runs in the main thread and reads the calls lane itself, so
that an ordinary call changes no thread. A handler that is not a coroutine runs in the same thread
and holds up the others while it runs.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

from caduceus._loop_writer import LoopWriter

if TYPE_CHECKING:
    from caduceus._call_loop import Runner
    from caduceus._context import CallContext
    from caduceus._frames import Message


class LoopServer:
    """Serve calls as tasks, up to `concurrency` at a time.

    Parameters
    ----------
    runner : Runner
        Runs one call in the task that asks for it.
    concurrency : int
        How many calls at a time; nested ones come on top.
    """

    def __init__(self, runner: Runner, concurrency: int) -> None:
        self._runner = runner
        self._concurrency = concurrency
        self._waiting: deque[Message] = deque()
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._end = self._loop.create_future()

    def run(self) -> None:
        """Serve until somebody wants the end, then let the calls that run finish."""
        runner, loop = self._runner, self._loop
        asyncio.set_event_loop(loop)
        runner.callbacks.loop_thread = threading.get_ident()
        writer = LoopWriter(runner.lanes.replies)
        runner.outbox.write = writer.write
        runner.inbox.on_nested = self._start
        runner.inbox.serve(loop, self._take)
        try:
            loop.run_until_complete(self._end)
        finally:
            writer.close()

    def _take(self, received: Message | None) -> None:
        if received is None:
            self._waiting.clear()
            if self._runner.table.stop():
                self._finish()
        elif self._running < self._concurrency:
            self._start(received, None)
        else:
            self._waiting.append(received)

    def _start(self, received: Message, parent: CallContext | None) -> None:
        call = self._runner.begin(received, parent)
        if call is None:
            return
        if parent is None:
            self._running += 1
        task = self._loop.create_task(self._serve(call))
        call._loop, call._task = self._loop, task
        # The loop itself holds tasks only weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, call: CallContext) -> None:
        runner = self._runner
        try:
            is_last = await runner.complete_async(call)
        except OSError as error:
            raise SystemExit(f"caduceus: a lane is broken: {error}") from error
        if call._parent is None:
            self._running -= 1
        if runner.bridge.shutdown_requested:
            self._waiting.clear()
            is_last = runner.table.stop()
        if is_last:
            self._finish()
        while self._waiting and self._running < self._concurrency:
            self._start(self._waiting.popleft(), None)

    def _finish(self) -> None:
        if not self._end.done():
            self._end.set_result(None)
