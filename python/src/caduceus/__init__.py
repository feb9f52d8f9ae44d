"""What may a bridge import?

`Bridge` to derive from, with `operation` on its methods, or `BaseBridge` with a table of handlers;
`batched` for handlers that take several calls at once, `BridgeError`
to fail with a code, `current_call` to learn whom it works for and to talk to its caller, and the
two exceptions that this can raise. Everything else in this package is the worker's own.
"""

from caduceus._batched import batched
from caduceus._context import CallContext, current_call
from caduceus._errors import BridgeError
from caduceus._link import CallbackError, CallCancelled
from caduceus._version import __version__
from caduceus.base_bridge import BaseBridge
from caduceus.bridge import Bridge, operation

__all__ = [
    "BaseBridge",
    "Bridge",
    "BridgeError",
    "CallCancelled",
    "CallContext",
    "CallbackError",
    "__version__",
    "batched",
    "current_call",
    "operation",
]
