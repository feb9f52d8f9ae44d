"""What do the rows of pools call? An echo, an echo that counts as a change of state, and naps."""

import time
from typing import Any

from base_bridge import BaseBridge


class PoolBridge(BaseBridge):
    """Answers what it was given, at once or after a nap."""

    def _register_handlers(self) -> None:
        self._handlers["echo"] = lambda args: args
        self._handlers["keep"] = lambda args: args
        self._handlers["nap"] = lambda args: time.sleep(args["ms"] / 1000)
        self._handlers["naps"] = _naps

    def _initialize_framework(self) -> None:
        pass

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "pool", "version": "1.0.0", "capabilities": []}


def _naps(args: dict[str, Any]) -> float:
    # What so many naps take when nobody asks for them one by one.
    began_s = time.perf_counter()
    for _ in range(args["times"]):
        time.sleep(args["ms"] / 1000)
    return time.perf_counter() - began_s
