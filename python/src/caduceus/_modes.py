"""In which of three ways do the calls of a bridge run, and how many at a time?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from caduceus._call_loop import Runner
from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from caduceus._calls import CallTable
    from caduceus._interrupts import InterruptGate
    from caduceus._lanes import Lanes
    from caduceus.base_bridge import BaseBridge

Mode = Literal["sync", "threads", "asyncio"]

CONCURRENCY_DEFAULT = 8
"""How many calls run at a time in a bridge that says only that they may."""

CONCURRENCY_MAX = 1_024
"""More threads than this in one process are a mistake, not a wish."""


class Execution(NamedTuple):
    """How the calls of a worker run.

    Attributes
    ----------
    mode : {"sync", "threads", "asyncio"}
        As the bridge declares.
    concurrency : int
        How many at a time; 1 for `sync`.
    """

    mode: Mode
    concurrency: int


def execution_of(bridge: BaseBridge, wanted: object) -> Execution:
    """Return how the calls of `bridge` are going to run.

    Parameters
    ----------
    bridge : BaseBridge
        Declares `execution` and `concurrency`.
    wanted : object
        How many Node would have run at a time; None for as many as the bridge allows.

    Returns
    -------
    Execution
        The lower of the two concurrencies.

    Raises
    ------
    BridgeError
        If the bridge declares what there is not.
    """
    mode, declared = bridge.execution, bridge.concurrency
    if mode not in ("sync", "threads", "asyncio"):
        raise BridgeError(
            f"execution must be 'sync', 'threads' or 'asyncio', found {mode!r:.100}",
            code="invalid_arguments",
        )
    if declared is not None and (type(declared) is not int or not 1 <= declared <= CONCURRENCY_MAX):
        raise BridgeError(
            f"concurrency must be a whole number from 1 to {CONCURRENCY_MAX}, "
            f"found {declared!r:.100}",
            code="invalid_arguments",
        )
    if mode == "sync":
        return Execution("sync", 1)
    concurrency = CONCURRENCY_DEFAULT if declared is None else declared
    if type(wanted) is int and wanted >= 1:
        concurrency = min(concurrency, wanted)
    return Execution(cast("Mode", mode), concurrency)


def serve_calls(
    lanes: Lanes,
    gate: InterruptGate,
    table: CallTable,
    bridge: BaseBridge,
    name: str,
    execution: Execution,
) -> None:
    """Serve calls in the way of `execution` until somebody wants the end.

    Parameters
    ----------
    lanes : Lanes
        Calls are read and replies written.
    gate : InterruptGate
        Told what the main thread runs.
    table : CallTable
        What is known of the calls.
    bridge : BaseBridge
        Whose handlers are called.
    name : str
        What the bridge is called in replies.
    execution : Execution
        From `execution_of`.

    Raises
    ------
    SystemExit
        From a handler, or if a lane is broken.
    """
    runner = Runner(lanes, table, gate, bridge, name)
    if execution.mode == "threads":
        from caduceus._serve_threads import ThreadServer

        ThreadServer(runner, execution.concurrency).run()
    elif execution.mode == "asyncio":
        from caduceus._serve_asyncio import LoopServer

        LoopServer(runner, execution.concurrency).run()
    else:
        runner.run()
    if runner.exit_error is not None:
        raise runner.exit_error
