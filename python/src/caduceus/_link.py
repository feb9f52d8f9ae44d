"""What connects a call to its caller, and what is raised where that fails?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from caduceus._context import CallContext


ANSWER_GRACE_S = 0.5
"""How much longer than a deadline the worker waits for Node, which keeps it and says more."""


class CallCancelled(BaseException):
    """The caller does not wait for the answer any more.

    Raised where the handler runs or waits. Not an `Exception`, so that a handler that catches those
    to go on does not go on. A handler that needs to clean up does so in ``finally``.
    """


class CallbackError(BridgeError):
    """A callback failed; raised where it was made.

    Attributes
    ----------
    code : str
        ``callback_unknown``, ``callback_failed``, ``callback_timeout`` or ``cancelled``.
    """


class Link(Protocol):
    """What connects a call to its caller while it runs."""

    def progress(self, call: CallContext, value: object) -> None:
        """Send one progress message."""

    def invoke(
        self, call: CallContext, name: str, args: object, timeout_ms: float | None
    ) -> object:
        """Run a callback and wait for its answer in this thread."""

    async def ainvoke(
        self, call: CallContext, name: str, args: object, timeout_ms: float | None
    ) -> object:
        """Run a callback and wait for its answer without holding up the event loop."""
