"""What does the benchmark call with large values? They come back as they are."""

import sys

import numpy
from base_bridge import BaseBridge


class ArrayBridge(BaseBridge):
    """Answers what it was given, and knows what that was."""

    def _register_handlers(self):
        self._handlers["echo"] = lambda args: args["value"]
        self._handlers["kind"] = lambda args: _kind(args["value"])
        self._handlers["interpreter"] = lambda args: {
            "version": sys.version.split()[0],
            "executable": sys.executable,
            "numpy": numpy.__version__,
        }

    def _initialize_framework(self):
        pass

    def get_framework_info(self):
        return {"name": "numpy", "version": numpy.__version__, "capabilities": []}


def _kind(value):
    if isinstance(value, numpy.ndarray):
        return f"ndarray {value.dtype} {value.shape}"
    return type(value).__name__
