"""A bridge that misbehaves in every way that a test needs."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import pickle
import subprocess
import sys
import threading
from typing import Any

from base_bridge import BaseBridge
from caduceus import BridgeError, current_call


class Token:
    """Something to pickle."""


class SampleBridge(BaseBridge):
    def _register_handlers(self) -> None:
        for name in dir(self):
            if name.startswith("op_"):
                self._handlers[name.removeprefix("op_")] = getattr(self, name)

    def _initialize_framework(self) -> None:
        self.limit = 3

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "sample", "version": "1.2.3", "capabilities": ["tests"]}

    def op_echo(self, args: dict[str, Any]) -> object:
        return args

    def op_context(self, _args: dict[str, Any]) -> object:
        call = current_call()
        assert call is not None
        return [call.call_id, call.session_id, call.op, call.remaining_ms()]

    def op_environment(self, _args: dict[str, Any]) -> object:
        return {
            "invitation": os.environ.get("CADUCEUS_WORKER"),
            "scratch": os.environ.get("CADUCEUS_SCRATCH_DIR"),
            "stdin": sys.stdin.read(),
            "pickled": type(pickle.loads(pickle.dumps(Token()))).__qualname__,
            "mode": self.mode,
        }

    def op_raise_chain(self, _args: dict[str, Any]) -> object:
        try:
            return os.environ["CADUCEUS_ABSENT"]
        except KeyError as error:
            raise ValueError("no such thing") from error

    def op_raise_coded(self, _args: dict[str, Any]) -> object:
        raise BridgeError("give me more", code="invalid_arguments")

    def op_exit(self, args: dict[str, Any]) -> object:
        sys.exit(args["status"])

    def op_interrupt(self, _args: dict[str, Any]) -> object:
        raise KeyboardInterrupt

    def op_cancel(self, _args: dict[str, Any]) -> object:
        raise asyncio.CancelledError

    def op_recurse(self, args: dict[str, Any]) -> object:
        return self.op_recurse(args)

    def op_unencodable(self, args: dict[str, Any]) -> object:
        kinds: dict[str, object] = {"set": {1}, "key": {1: 2}}
        return {"rows": [0, {"score": kinds[args["kind"]]}]}

    def op_long(self, args: dict[str, Any]) -> object:
        return "x" * args["count"]

    def op_print(self, _args: dict[str, Any]) -> object:
        print("from python")
        libc = ctypes.CDLL(None)
        libc.puts(b"from C")
        libc.fflush(None)
        print("to stderr", file=sys.stderr)
        subprocess.run([sys.executable, "-c", "print('from a grandchild')"], check=True)
        return "printed"

    def op_log(self, _args: dict[str, Any]) -> object:
        logging.getLogger("sample.part").warning("%d apples", 3)
        return None

    def op_spin(self, _args: dict[str, Any]) -> object:
        child = subprocess.Popen(["sleep", "600"])
        print(child.pid, flush=True)
        while True:
            pass

    def op_wait_for_file(self, args: dict[str, Any]) -> object:
        print("waiting", flush=True)
        # Opening a FIFO waits for the other end.
        with open(args["path"]) as fifo:
            return fifo.read()

    def op_fork_and_stay(self, args: dict[str, Any]) -> object:
        child = os.fork()
        if child == 0:
            with open(args["path"]) as fifo:
                fifo.read()
            print("child lives", flush=True)
            os._exit(0)
        return child

    def op_fork_and_return(self, _args: dict[str, Any]) -> object:
        child = os.fork()
        if child == 0:
            return "from the child"
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    def op_threads(self, _args: dict[str, Any]) -> object:
        return [thread.name for thread in threading.enumerate()]
