"""How do calls run when a bridge says that its handlers may run in several threads?

The main thread reads; calls wait in a queue and are started in their order by threads of a pool,
which grows as calls overlap and not before.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caduceus._call_loop import Runner
    from caduceus._frames import Message


class ThreadServer:
    """Serve calls in up to `concurrency` threads.

    Parameters
    ----------
    runner : Runner
        Runs one call in the thread that asks for it.
    concurrency : int
        How many threads, and so calls at a time.
    """

    def __init__(self, runner: Runner, concurrency: int) -> None:
        self._runner = runner
        self._concurrency = concurrency
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        # Held from the taking of a call until it has started, so that calls start in order.
        self._turn = threading.Lock()
        self._idle = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def run(self) -> None:
        """Serve until somebody wants the end, then let the calls that run finish."""
        runner = self._runner
        while (received := runner.inbox.next_call()) is not None:
            self._queue.put(received)
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._concurrency:
                self._add_thread()
        runner.table.stop()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if runner.exit_error is not None:
                # A handler has ended the process; what else runs ends with it.
                return
            thread.join()

    def _add_thread(self) -> None:
        name = f"caduceus-call-{len(self._threads)}"
        # A daemon: it must not keep a process alive that a handler has ended.
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        runner = self._runner
        if "caduceus._threads" in sys.modules:
            # Forked from a zygote: what the child has restored is OpenMP's count of one thread.
            sys.modules["caduceus._threads"].restore_threads(os.environ)
        try:
            while True:
                with self._turn:
                    received = self._queue.get()
                    if received is None:
                        return
                    call = runner.begin(received, None)
                if call is not None:
                    is_last = runner.complete(call, is_main=False)
                    if runner.bridge.shutdown_requested:
                        is_last = runner.table.stop()
                    if is_last:
                        # Wakes the main thread, which may wait for a call that is not to come.
                        runner.lanes.calls.stop_receiving()
                # What a call brought may be large, and the next one may be long in coming.
                received = call = None
                self._idle.release()
        except SystemExit as error:
            runner.exit_with(error)
        except OSError as error:
            runner.exit_with(SystemExit(f"caduceus: a lane is broken: {error}"))
