"""How are the calls of a batch run, and how does each get its own outcome?

At once by a handler that is `batched`, else one after the other by its ordinary handler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from caduceus._batched import checked_results
from caduceus._call_ends import code_of_end
from caduceus._errors import BridgeError
from caduceus._frames import FrameError
from caduceus._unfolding import PLAIN
from caduceus._untagging import untagged_each

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from caduceus._batch_reply import BatchReply
    from caduceus._context import CallContext
    from caduceus._outbox import Outbox, Parts
    from caduceus._unfolding import Unfolder
    from caduceus.base_bridge import BaseBridge

    Steps = Generator[object, object, Any]


def read_batch(
    message: dict[str, Any], segments: Sequence[memoryview], call: CallContext
) -> list[Any]:
    """Return the arguments of each call of a batch.

    Parameters
    ----------
    message : dict
        Of type ``call``, with ``batch``.
    segments : sequence of memoryview
        Of the same frame.
    call : CallContext
        From `read_call`.

    Returns
    -------
    list
        The arguments; a `BridgeError` in the place of those that cannot be had here.

    Raises
    ------
    FrameError
        If they are malformed, or not as many as the message says.
    """
    args = message.get("args")
    calls = args.get("calls") if isinstance(args, dict) and len(args) == 1 else None
    if type(calls) is not list or len(calls) != call.batch_size:
        raise FrameError(
            f"call {call.call_id}: args of a batch must be the {call.batch_size} `calls`"
        )
    if message.get("tagged") is True:
        calls = untagged_each(calls, segments)
    elif segments:
        raise FrameError("a value with segments that no tag names")
    return [{} if item is None else item for item in calls]


class BatchRunner:
    """Run batches of one bridge.

    Parameters
    ----------
    bridge : BaseBridge
        Whose handlers are called.
    unfolder : Unfolder
        Runs what they return.
    outbox : Outbox
        Makes the frame of the reply.
    leave_if_forked : callable
        Ends a child of this process that has come back from a handler.
    """

    def __init__(
        self,
        bridge: BaseBridge,
        unfolder: Unfolder,
        outbox: Outbox,
        leave_if_forked: Callable[[], None],
    ) -> None:
        self._bridge = bridge
        self._unfolder = unfolder
        self._outbox = outbox
        self._leave_if_forked = leave_if_forked

    def run(self, call: CallContext, items: list[Any]) -> Parts:
        """Run all calls of a batch in this thread.

        Parameters
        ----------
        call : CallContext
            The batch.
        items : list
            From `read_batch`.

        Returns
        -------
        sequence of bytes or memoryview
            The frame of the reply.

        Raises
        ------
        BaseException
            What is the error of all of them.
        """
        steps = self._steps(call, items)
        try:
            result = next(steps)
            while True:
                try:
                    value = self._unfolder.unfold(result, call)
                except BaseException as error:
                    result = steps.throw(error)
                else:
                    result = steps.send(value)
        except StopIteration as end:
            return cast("Parts", end.value)

    async def run_async(self, call: CallContext, items: list[Any]) -> Parts:
        """Do what `run` does, in the task that this is.

        Parameters
        ----------
        call : CallContext
            As for `run`.
        items : list
            As for `run`.

        Returns
        -------
        sequence of bytes or memoryview
            As for `run`.

        Raises
        ------
        BaseException
            As for `run`.
        """
        steps = self._steps(call, items)
        try:
            result = next(steps)
            while True:
                try:
                    value = await self._unfolder.unfold_async(result, call)
                except BaseException as error:
                    result = steps.throw(error)
                else:
                    result = steps.send(value)
        except StopIteration as end:
            return cast("Parts", end.value)

    def _steps(self, call: CallContext, items: list[Any]) -> Steps:
        """Yield what handlers return that is not plain, and take the value that it stands for."""
        reply = self._outbox.batch_reply_of(len(items))
        if self._bridge.is_batched(call.op):
            yield from self._at_once(call, items, reply)
        else:
            yield from self._one_by_one(call, items, reply)
        return self._outbox.batch_reply(call, reply)

    def _at_once(self, call: CallContext, items: list[Any], reply: BatchReply) -> Steps:
        judged = [_judged(item, call.op) for item in items]
        sound = [item for item in judged if not isinstance(item, BridgeError)]
        errors_count = len(sound)
        try:
            results: object = self._bridge.handle_batch(call.op, sound) if sound else []
            if type(results) not in PLAIN:
                # The unfolder counts one.
                errors_count -= 1
                results = yield results
                errors_count += 1
            answers = iter(checked_results(results, len(sound), call.op))
        except BaseException:
            self._count_errors(errors_count)
            raise
        for item in judged:
            answer = item if isinstance(item, BridgeError) else next(answers)
            if isinstance(answer, Exception):
                self._count_errors(1)
                reply.add_error(answer)
                continue
            try:
                # All results are here at the same time, so that none can be the next one's memory.
                reply.add_result(answer, is_kept=True)
            except BridgeError as error:
                reply.add_error(error)

    def _one_by_one(self, call: CallContext, items: list[Any], reply: BatchReply) -> Steps:
        for item in items:
            call.raise_if_cancelled()
            try:
                if isinstance(item, BridgeError):
                    raise item
                result = self._bridge.handle_command(call.op, item)
                if type(result) not in PLAIN:
                    result = yield result
                # The handler may return the same memory each time, filled anew.
                reply.add_result(result, is_kept=False)
            except BaseException as error:
                self._leave_if_forked()
                code = code_of_end(call, error)
                if isinstance(error, SystemExit) or (code is not None and call.is_cancelled):
                    raise
                reply.add_error(error, code)
            self._leave_if_forked()

    def _count_errors(self, count: int) -> None:
        for _ in range(count):
            self._bridge.count_error()


def _judged(item: Any, op: str) -> Any:  # noqa: ANN401 - arguments as they were sent
    if isinstance(item, (dict, BridgeError)):
        return item
    return BridgeError(
        f"the arguments of {op} must be an object, not {type(item).__name__}",
        code="invalid_arguments",
    )
