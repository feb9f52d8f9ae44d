"""Handlers that take several calls at once, and others, in the three modes."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from typing import Any

from caduceus import BaseBridge, BridgeError, batched, current_call


def _size(args: dict[str, Any], more: int = 0) -> object:
    if "fail" in args:
        return ValueError(f"{args['fail']} is bad")
    if "odd" in args:
        return {1, 2}
    call = current_call()
    assert call is not None
    return [args.get("n"), call.batch_size, call.session_id, more]


@batched
def plain_function(calls: list[dict[str, Any]]) -> list[object]:
    return [_size(args) for args in calls]


@batched
def with_more(more: int, calls: list[dict[str, Any]]) -> list[object]:
    return [_size(args, more) for args in calls]


class Batching(BaseBridge):
    """The operations; the subclasses say how they run."""

    def _register_handlers(self) -> None:
        for name in dir(self):
            if name.startswith("op_"):
                self._handlers[name.removeprefix("op_")] = getattr(self, name)
        self._handlers["function"] = plain_function
        self._handlers["partial"] = functools.partial(with_more, 7)

    def _initialize_framework(self) -> None:
        self.runs: list[int] = []
        self.buffer = bytearray(4)

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "batching", "version": "1", "capabilities": []}

    @batched
    def op_many(self, calls: list[dict[str, Any]]) -> list[object]:
        self.runs.append(len(calls))
        return [_size(args) for args in calls]

    @batched
    async def op_amany(self, calls: list[dict[str, Any]]) -> tuple[object, ...]:
        await asyncio.sleep(0)
        self.runs.append(len(calls))
        return tuple(_size(args) for args in calls)

    @batched
    def op_echo_all(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return calls

    @batched
    def op_shape(self, calls: list[dict[str, Any]]) -> object:
        kind = calls[0]["kind"]
        if kind == "short":
            return [1]
        if kind == "raise":
            raise BridgeError("none of them", code="not_configured")
        if kind == "forked":
            return [os.getpid() for _ in calls]
        return {"not": "a list"}

    @batched
    async def op_araise(self, calls: list[dict[str, Any]]) -> list[object]:
        await asyncio.sleep(0)
        raise LookupError(f"none of {len(calls)}")

    def op_echo(self, args: dict[str, Any]) -> object:
        self.runs.append(1)
        return args

    async def op_aecho(self, args: dict[str, Any]) -> object:
        await asyncio.sleep(0)
        self.runs.append(1)
        return args

    def op_one(self, args: dict[str, Any]) -> object:
        answer = _size(args)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def op_same_memory(self, args: dict[str, Any]) -> object:
        self.buffer[:] = args["n"].to_bytes(4, "big")
        return {"bytes": self.buffer}

    def op_yields(self, args: dict[str, Any]) -> object:
        yield from range(args["n"])

    def op_long(self, args: dict[str, Any]) -> object:
        return "x" * args["count"]

    def op_long_error(self, args: dict[str, Any]) -> object:
        raise ValueError("x" * args["count"])

    def op_exit(self, args: dict[str, Any]) -> object:
        if "status" in args:
            sys.exit(args["status"])
        return "stays"

    def op_fork(self, args: dict[str, Any]) -> object:
        """Come back in two processes, of which the child must run nothing more."""
        with open(args["path"], "a") as file:
            file.write("ran\n")
        pid = os.fork() if args.get("fork") else 0
        if pid > 0:
            os.waitpid(pid, 0)
        return "back"

    def op_wait(self, args: dict[str, Any]) -> object:
        self.runs.append(args["n"])
        if args.get("wait"):
            print("waiting", flush=True)
            call = current_call()
            assert call is not None
            while not call.is_cancelled:
                pass
            if not args.get("swallow"):
                call.raise_if_cancelled()
        return args["n"]

    async def op_asleep(self, args: dict[str, Any]) -> object:
        self.runs.append(args["n"])
        print("sleeping", flush=True)
        await asyncio.sleep(600)
        return None

    def op_runs(self, _args: dict[str, Any]) -> object:
        runs, self.runs = self.runs, []
        return runs


class Sync(Batching):
    """One at a time."""


class Threads(Batching):
    """Up to four threads."""

    execution = "threads"
    concurrency = 4


class Asyncio(Batching):
    """As many tasks as are usual."""

    execution = "asyncio"
