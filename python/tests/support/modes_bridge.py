"""One bridge in three modes, with handlers of every kind."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import re
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from caduceus import BaseBridge, CallbackError, CallCancelled, current_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from caduceus import CallContext


def _call() -> CallContext:
    call = current_call()
    assert call is not None
    return call


class Modal(BaseBridge):
    """The operations; the subclasses say how they run."""

    def _register_handlers(self) -> None:
        for name in dir(self):
            if name.startswith("op_"):
                self._handlers[name.removeprefix("op_")] = getattr(self, name)
        self._handlers["partial"] = functools.partial(self.op_count)

    def _initialize_framework(self) -> None:
        self.events: list[object] = []
        self.barrier = threading.Barrier(2, timeout=10)
        self.arrived: asyncio.Event | None = None
        self.loops: set[int] = set()

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "modal", "version": "1", "capabilities": []}

    def op_echo(self, args: dict[str, Any]) -> object:
        return args

    async def op_aecho(self, args: dict[str, Any]) -> object:
        await asyncio.sleep(0)
        return args

    def op_events(self, _args: dict[str, Any]) -> object:
        events, self.events = self.events, []
        return events

    def op_count(self, args: dict[str, Any]) -> Generator[object, None, None]:
        thread = threading.get_ident()
        try:
            for number in range(args["n"]):
                self.events.append(f"made {number}")
                yield number
            if args.get("fail"):
                raise ValueError("no more")
        finally:
            self.events.append(["closed", threading.get_ident() == thread])

    async def op_acount(self, args: dict[str, Any]) -> AsyncGenerator[object, None]:
        try:
            for number in range(args["n"]):
                self.events.append(f"made {number}")
                await asyncio.sleep(0)
                yield number
            if args.get("fail"):
                raise ValueError("no more")
        finally:
            await asyncio.sleep(0)
            self.events.append(["closed", True])

    def op_bad_item(self, _args: dict[str, Any]) -> Generator[object, None, None]:
        yield 0
        yield {"deep": [{1, 2}]}

    def op_spin(self, _args: dict[str, Any]) -> object:
        print("spinning", flush=True)
        while True:
            pass

    def op_spin_in_generator(self, _args: dict[str, Any]) -> Generator[object, None, None]:
        try:
            yield 0
            print("spinning", flush=True)
            while True:
                pass
        finally:
            self.events.append("closed")

    def op_until_flag(self, _args: dict[str, Any]) -> object:
        print("waiting", flush=True)
        call = _call()
        while not call.is_cancelled:
            time.sleep(0.001)
        call.raise_if_cancelled()
        return None

    def op_interrupt_self(self, _args: dict[str, Any]) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return "went on"

    def op_sleep(self, _args: dict[str, Any]) -> object:
        print("sleeping", flush=True)
        time.sleep(600)
        return None

    async def op_asleep(self, _args: dict[str, Any]) -> object:
        try:
            print("sleeping", flush=True)
            await asyncio.sleep(600)
        finally:
            self.events.append("cleaned up")
        return None

    async def op_aspin(self, _args: dict[str, Any]) -> object:
        print("spinning", flush=True)
        while True:
            pass

    def op_hold(self, _args: dict[str, Any]) -> object:
        print("holding", flush=True)
        # Tries 2^60 ways, and lets no other thread have the interpreter meanwhile.
        return bool(re.match(r"(a+)+$", "a" * 60 + "b"))

    def op_swallow(self, _args: dict[str, Any]) -> object:
        try:
            print("spinning", flush=True)
            while True:
                pass
        except CallCancelled:
            return "kept"

    def op_translate(self, _args: dict[str, Any]) -> object:
        try:
            print("spinning", flush=True)
            while True:
                pass
        except CallCancelled as error:
            raise RuntimeError("I was stopped") from error

    def op_invoke(self, args: dict[str, Any]) -> object:
        return _call().invoke(args["name"], args.get("args"), timeout_ms=args.get("timeoutMs"))

    async def op_ainvoke(self, args: dict[str, Any]) -> object:
        return await _call().ainvoke(
            args["name"], args.get("args"), timeout_ms=args.get("timeoutMs")
        )

    async def op_ainvoke_both(self, _args: dict[str, Any]) -> object:
        call = _call()
        return await asyncio.gather(call.ainvoke("a"), call.ainvoke("b"))

    def op_invoke_in_threads(self, args: dict[str, Any]) -> object:
        answers: dict[str, object] = {}

        def ask(name: str) -> None:
            answers[name] = _call().invoke(name)

        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(ask, name))
            for name in args["names"]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def op_invoke_caught(self, args: dict[str, Any]) -> object:
        try:
            return _call().invoke(args["name"], timeout_ms=args.get("timeoutMs"))
        except CallbackError as error:
            return [error.code, str(error)]

    async def op_in_executor(self, args: dict[str, Any]) -> object:
        return await asyncio.to_thread(_call().invoke, args["name"])

    def op_unencodable_callback(self, _args: dict[str, Any]) -> object:
        return _call().invoke("f", {"x": {1}})

    def op_progress(self, args: dict[str, Any]) -> object:
        for number in range(args["n"]):
            _call().progress({"done": number})
        return "done"

    def op_trace(self, _args: dict[str, Any]) -> object:
        return _call().trace

    def op_meet(self, args: dict[str, Any]) -> object:
        self.barrier.wait()
        call = _call()
        return [args, call.session_id, threading.current_thread() is threading.main_thread()]

    async def op_ameet(self, args: dict[str, Any]) -> object:
        if self.arrived is None:
            self.arrived = asyncio.Event()
            await self.arrived.wait()
        else:
            self.arrived.set()
        return [args, _call().session_id, threading.current_thread() is threading.main_thread()]

    async def op_loop(self, _args: dict[str, Any]) -> object:
        self.loops.add(id(asyncio.get_running_loop()))
        return len(self.loops)

    async def op_exit(self, args: dict[str, Any]) -> object:
        raise SystemExit(args["status"])

    def op_long(self, args: dict[str, Any]) -> object:
        return "x" * args["count"]


class Sync(Modal):
    """One at a time."""


class Threads(Modal):
    """Up to four threads."""

    execution = "threads"
    concurrency = 4


class Asyncio(Modal):
    """As many tasks as are usual."""

    execution = "asyncio"
