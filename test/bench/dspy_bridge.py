"""What is a worker with a heavy framework to the benchmark? DSPy, and a call that can be held."""

import time

import dspy
from base_bridge import BaseBridge


class DspyBridge(BaseBridge):
    """Has DSPy in memory, as the bridge of the package has it; what a bridge builds is its own affair."""

    def _register_handlers(self):
        self._handlers["echo"] = lambda args: args
        self._handlers["hold"] = _hold
        self._handlers["signature"] = lambda args: sorted(dspy.Signature(args["text"]).fields)

    def _initialize_framework(self):
        self.programs = {}

    def get_framework_info(self):
        return {"name": "dspy", "version": dspy.__version__, "capabilities": []}


def _hold(args):
    print("holding", flush=True)
    time.sleep(args["seconds"])
