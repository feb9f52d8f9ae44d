"""How is one call run and answered, in the thread that has it?

Everything on the way of an ordinary call is paid for by every call; whatever is not ordinary
(streams, coroutines, refusals) is looked for with one test and handled elsewhere.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from caduceus._batch_runs import BatchRunner, read_batch
from caduceus._call_ends import code_of_end
from caduceus._callbacks import NESTED_DEPTH_MAX, Callbacks
from caduceus._calls import read_call
from caduceus._context import current
from caduceus._ending import end_for_protocol_error
from caduceus._errors import BridgeError
from caduceus._frames import FrameError
from caduceus._inbox import Inbox
from caduceus._link import CallCancelled
from caduceus._outbox import Outbox
from caduceus._unfolding import PLAIN, Unfolder
from caduceus._values import decode_value

if TYPE_CHECKING:
    from caduceus._calls import CallTable, Verdict
    from caduceus._context import CallContext
    from caduceus._frames import Message
    from caduceus._interrupts import InterruptGate
    from caduceus._lanes import Lanes
    from caduceus.base_bridge import BaseBridge

EXIT_FORKED = 1


class Runner:
    """Run calls of one bridge, each in the thread that asks for it.

    Parameters
    ----------
    lanes : Lanes
        Calls are read and replies written.
    table : CallTable
        What is known of the calls.
    gate : InterruptGate
        Told what the main thread runs.
    bridge : BaseBridge
        Whose handlers are called.
    bridge_name : str
        Named in every reply.

    Attributes
    ----------
    exit_error : SystemExit or None
        Raised by a handler in another thread than the main one; that is where it must be raised.
    """

    def __init__(
        self,
        lanes: Lanes,
        table: CallTable,
        gate: InterruptGate,
        bridge: BaseBridge,
        bridge_name: str,
    ) -> None:
        self.exit_error: SystemExit | None = None
        self.bridge = bridge
        self.table = table
        self.gate = gate
        self.lanes = lanes
        self.outbox = Outbox(lanes.replies, gate, bridge_name, lanes.calls.decoder.frame_bytes_max)
        self._unfolder = Unfolder(bridge, self.outbox.send_item)
        self._batches = BatchRunner(bridge, self._unfolder, self.outbox, self._leave_if_forked)
        self.inbox = Inbox(lanes.calls, self._refuse_late)
        self.callbacks = Callbacks(self.outbox, self.inbox, gate)
        self.callbacks.run_nested = self.run_nested
        self.callbacks.run_nested_async = self.run_nested_async
        self._main = threading.main_thread().ident
        self._is_forked = False
        os.register_at_fork(after_in_child=self._note_fork)

    def run(self) -> None:
        """Serve calls in this thread, the main one, until somebody wants the end."""
        table, bridge, next_call = self.table, self.bridge, self.inbox.next_call
        while True:
            received = next_call()
            if received is None:
                return
            call = self.begin(received, None)
            if call is not None:
                self.complete(call, is_main=True)
            if table.is_stopping or bridge.shutdown_requested or self.exit_error is not None:
                return
            # What a call brought may be large, and the next one may be long in coming.
            received = call = None

    def begin(self, received: Message, parent: CallContext | None) -> CallContext | None:
        """Start a call, or answer that it does not start.

        Parameters
        ----------
        received : tuple
            A message of type ``call`` and its segments.
        parent : CallContext or None
            The call that it is nested in.

        Returns
        -------
        CallContext or None
            The call, for `complete`; None if it must not run.
        """
        message, segments = received
        unusable: BridgeError | None = None
        try:
            call = read_call(message, self.callbacks, parent)
            args = message.get("args")
            if call._batch is not None:
                args = read_batch(message, segments, call)
            elif segments or "tagged" in message:
                args = decode_value(args, message.get("tagged") is True, segments)
        except FrameError as error:
            end_for_protocol_error(f"{error} (calls lane)")
        except BridgeError as error:
            # What only NumPy can hold, where there is no NumPy: this call's fault alone.
            unusable, args = error, None
        verdict = self.table.start(call)
        if verdict != "started":
            self._refuse(call, verdict)
            return None
        if unusable is not None:
            self.outbox.send(self.outbox.failure(call.call_id, unusable))
            self.table.finish(call)
            return None
        call._args = {} if args is None else args
        return call

    def complete(self, call: CallContext, *, is_main: bool) -> bool:
        """Run a call that has started, and answer it.

        Parameters
        ----------
        call : CallContext
            From `begin`.
        is_main : bool
            Whether this is the main thread, where a handler can be interrupted.

        Returns
        -------
        bool
            Whether it was the last one of a worker that stops.

        Raises
        ------
        SystemExit
            From the handler.
        """
        gate, previous = self.gate, current.get()
        outer, shields = gate.running, gate.shields
        try:
            try:
                if is_main:
                    gate.running, gate.shields = call, 0
                current.set(call)
                args, call._args = call._args, None
                if call._depth > NESTED_DEPTH_MAX:
                    raise _too_deep(call)
                if call._batch is None:
                    result = self.bridge.handle_command(call.op, args)
                    if call._credit is not None or type(result) not in PLAIN:
                        result = self._unfolder.unfold(result, call)
                    parts = self.outbox.reply(call, result)
                else:
                    parts = self._batches.run(call, args)
            finally:
                # Before anything that could be interrupted: from here on there is no handler.
                if is_main:
                    gate.running, gate.shields = outer, shields
                current.set(previous)
        except SystemExit:
            if not self._is_forked:
                raise
            parts = []
        except BaseException as error:
            # KeyboardInterrupt, and what asyncio or a Rust extension raises outside of Exception:
            # one failed call.
            parts = self.outbox.failure(call.call_id, error, code=code_of_end(call, error))
        self._leave_if_forked()
        self.outbox.send_between(parts)
        return self.table.finish(call)

    def run_nested(self, received: Message, parent: CallContext) -> None:
        """Run a nested call in this thread, which waits for a callback of `parent`."""
        call = self.begin(received, parent)
        if call is None:
            return
        is_main = threading.get_ident() == self._main
        try:
            is_last = self.complete(call, is_main=is_main)
        except SystemExit as error:
            if is_main:
                raise
            self.exit_with(error)
            return
        if is_last:
            self.lanes.calls.stop_receiving()

    async def complete_async(self, call: CallContext) -> bool:
        """Do what `complete` does, in a task of an event loop.

        Parameters
        ----------
        call : CallContext
            From `begin`; its task is this one.

        Returns
        -------
        bool
            As for `complete`.

        Raises
        ------
        SystemExit
            From the handler.
        """
        # The context is the task's own, and ends with it.
        current.set(call)
        try:
            try:
                args, call._args = call._args, None
                if call._depth > NESTED_DEPTH_MAX:
                    raise _too_deep(call)
                if call._batch is None:
                    result = self.bridge.handle_command(call.op, args)
                    if call._credit is not None or type(result) not in PLAIN:
                        result = await self._unfolder.unfold_async(result, call)
                    parts = self.outbox.reply(call, result)
                else:
                    parts = await self._batches.run_async(call, args)
            finally:
                call._task = None
        except SystemExit:
            if not self._is_forked:
                raise
            parts = []
        except BaseException as error:
            parts = self.outbox.failure(call.call_id, error, code=code_of_end(call, error))
        self._leave_if_forked()
        self.outbox.send(parts)
        return self.table.finish(call)

    async def run_nested_async(self, received: Message, parent: CallContext) -> None:
        """Run a nested call in the task that this is."""
        import asyncio

        call = self.begin(received, parent)
        if call is None:
            return
        call._loop, call._task = asyncio.get_running_loop(), asyncio.current_task()
        if await self.complete_async(call):
            self.lanes.calls.stop_receiving()

    def exit_with(self, error: SystemExit) -> None:
        """Have the main thread end the process, for a handler in another thread."""
        self.exit_error = error
        self.lanes.calls.stop_receiving()

    def _refuse(self, call: CallContext, verdict: Verdict) -> None:
        if verdict == "stopping":
            return
        error: BaseException
        if verdict == "withdrawn":
            error = BridgeError(f"call {call.call_id} was withdrawn", code="withdrawn")
        else:
            error = CallCancelled(f"call {call.call_id} was cancelled before it started")
        self.outbox.send(self.outbox.failure(call.call_id, error, code=verdict))

    def _refuse_late(self, message: dict[str, Any]) -> None:
        call_id = message.get("id")
        if type(call_id) is not int:
            end_for_protocol_error("a call without a usable id (calls lane)")
        error = CallCancelled(f"call {call_id}: its callback does not wait any more")
        self.outbox.send(self.outbox.failure(call_id, error, code="cancelled"))

    def _leave_if_forked(self) -> None:
        if self._is_forked:
            # A handler forked and its child came back here. The call is the parent's to answer.
            os._exit(EXIT_FORKED)

    def _note_fork(self) -> None:
        self._is_forked = True


def _too_deep(call: CallContext) -> BridgeError:
    return BridgeError(
        f"call {call.call_id} is nested {call._depth} deep, at most {NESTED_DEPTH_MAX} are run",
        code="invalid_arguments",
    )
