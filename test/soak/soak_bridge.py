"""What does the load and fault run call? State that can be checked, work that takes time, and ways to die."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

from base_bridge import BaseBridge
from caduceus import batched, current_call

Cells = dict[str, list[int]]


def _session() -> str | None:
    call = current_call()
    return None if call is None else call.session_id


class SoakBridge(BaseBridge):
    """Keeps lists of numbers, for each session its own, and does as it is told."""

    def _register_handlers(self) -> None:
        self._handlers.update(
            {
                "echo": lambda args: args["value"],
                "work": self._work,
                "square": self._square,
                "count": self._count,
                "endless": self._endless,
                "fail": self._fail,
                "die": self._die,
                "configure": self._configure,
                "configured": lambda args: self._version,
                "put": self._put,
                "append": self._append,
                "drop": self._drop,
                "read": lambda args: self._cells().get(args["id"]),
                "read_all": lambda args: self._cells(),
                "snapshot": lambda args: self._cells(),
                "restore": self._restore,
                "forget": lambda args: self._sessions.pop(_session(), None) is not None,
            }
        )

    def _initialize_framework(self) -> None:
        self._sessions: dict[str | None, Cells] = {}
        self._version = 0

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "soak", "version": "1.0", "capabilities": []}

    def _cells(self) -> Cells:
        return self._sessions.setdefault(_session(), {})

    # Work

    def _work(self, args: dict[str, Any]) -> int:
        time.sleep(args["ms"] / 1000)
        return int(args["n"])

    @batched
    def _square(self, calls: list[dict[str, Any]]) -> list[int | Exception]:
        time.sleep(0.002)
        return [
            ValueError(args["message"]) if "message" in args else args["n"] ** 2 for args in calls
        ]

    def _count(self, args: dict[str, Any]) -> Iterator[int]:
        for number in range(args["to"]):
            time.sleep(args["ms"] / 1000)
            yield number

    def _endless(self, args: dict[str, Any]) -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    def _fail(self, args: dict[str, Any]) -> None:
        raise ValueError(args["message"])

    def _die(self, args: dict[str, Any]) -> None:
        # Told first, so that this death is known to have been ordered.
        current_call().progress(os.getpid())
        if args["how"] == "exit":
            os._exit(args["status"])
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)

    # State

    def _configure(self, args: dict[str, Any]) -> int:
        self._version = args["version"]
        return self._version

    def _put(self, args: dict[str, Any]) -> list[int]:
        time.sleep(args.get("ms", 0) / 1000)
        self._cells()[args["id"]] = list(args["values"])
        return self._cells()[args["id"]]

    def _append(self, args: dict[str, Any]) -> list[int]:
        time.sleep(args.get("ms", 0) / 1000)
        self._cells()[args["id"]].append(args["value"])
        return self._cells()[args["id"]]

    def _drop(self, args: dict[str, Any]) -> bool:
        return self._cells().pop(args["id"], None) is not None

    def _restore(self, args: dict[str, Any]) -> None:
        self._sessions[_session()] = {name: list(values) for name, values in args["state"].items()}
