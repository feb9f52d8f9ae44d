"""What does a handler see of Node, in a test without one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caduceus import CallContext
    from caduceus._link import CallbackError


class FakeLink:
    """Node, as a handler sees it."""

    def __init__(self, answer: object = None, error: CallbackError | None = None) -> None:
        self.answer = answer
        self.error = error
        self.invoked: list[tuple[str, object]] = []
        self.told: list[object] = []

    def progress(self, _call: CallContext, value: object) -> None:
        self.told.append(value)

    def invoke(
        self, _call: CallContext, name: str, args: object, _timeout_ms: float | None
    ) -> object:
        self.invoked.append((name, args))
        if self.error is not None:
            raise self.error
        return self.answer

    async def ainvoke(
        self, call: CallContext, name: str, args: object, timeout_ms: float | None
    ) -> object:
        return self.invoke(call, name, args, timeout_ms)
