"""What does the benchmark call? An echo, waits, and what this process has cost so far."""

import platform
import sys
import time

from base_bridge import BaseBridge


class EchoBridge(BaseBridge):
    """Answers what it was given."""

    def _register_handlers(self):
        self._handlers["echo"] = lambda args: args
        self._handlers["cpu"] = lambda args: time.process_time()
        self._handlers["wait"] = lambda args: time.sleep(args["seconds"])
        self._handlers["hold"] = _hold
        self._handlers["interpreter"] = lambda args: {
            "version": platform.python_version(),
            "executable": sys.executable,
        }

    def _initialize_framework(self):
        pass

    def get_framework_info(self):
        return {"name": "echo", "version": "1.0.0", "capabilities": []}


def _hold(args):
    # Told to whoever waits for it: now the call is in flight.
    print("holding", flush=True)
    time.sleep(args["seconds"])
