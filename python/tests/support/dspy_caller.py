"""How does a test call the DSPy bridge? The way the worker does, but in its own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError, CallContext
from caduceus._context import entered

if TYPE_CHECKING:
    from caduceus.bridges.dspy import DSPyBridge
    from fake_link import FakeLink
    from fake_provider import FakeProvider

KEY = "sk-a-key-that-nobody-may-see"


class Caller:
    """Call a bridge the way the worker does."""

    def __init__(self, bridge: DSPyBridge, provider: FakeProvider) -> None:
        self.bridge = bridge
        self.provider = provider

    def __call__(self, op: str, *, session: str | None = None, **args: object) -> dict[str, Any]:
        with entered(CallContext(1, session, op)):
            result = self.bridge.handle_command(op, args)
        assert isinstance(result, dict)
        return result

    def linked(self, link: FakeLink, op: str, args: dict[str, Any]) -> dict[str, Any]:
        """Call with somebody who answers callbacks and hears progress."""
        with entered(CallContext(1, None, op, link=link)):
            result = self.bridge.handle_command(op, args)
        assert isinstance(result, dict)
        return result

    def configure(self, model: str = "m", session: str | None = None) -> dict[str, Any]:
        return self(
            "configure_lm",
            session=session,
            model=f"openai/{model}",
            api_base=self.provider.api_base,
            api_key=KEY,
        )

    def refused(self, op: str, *, session: str | None = None, **args: object) -> BridgeError:
        with pytest.raises(BridgeError) as caught:
            self(op, session=session, **args)
        return caught.value
