"""May a schema refer to itself, and is one refused that cannot cross?"""

from __future__ import annotations

import math
from typing import Any

import pytest

from caduceus._errors import BridgeError
from caduceus._loader import BridgeSpec
from caduceus._modes import Execution
from caduceus._ready import ready_message
from caduceus.base_bridge import BaseBridge


class _Described(BaseBridge):
    schema: Any = None

    def _register_handlers(self) -> None:
        self._handlers["grow"] = lambda _args: None

    def _initialize_framework(self) -> None: ...

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "described", "version": "1", "capabilities": []}

    def operation_schemas(self) -> dict[str, Any]:
        return {"grow": {"args": self.schema}}


def _ready(schema: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a bridge may say
    bridge = _Described()
    bridge.schema = schema
    execution = Execution(mode="sync", concurrency=1)
    return ready_message(bridge, BridgeSpec(script="/described.py"), execution)


def test_a_schema_may_refer_to_itself() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    schema = {"$ref": "#/$defs/Node", "$defs": {"Node": node}, "minimum": 0.5, "enum": (1, None)}
    message = _ready(schema)
    assert message["schemas"] == {"grow": {"args": schema}}
    assert message["schemaHash"] != _ready({**schema, "minimum": 1})["schemaHash"]


@pytest.mark.parametrize("value", [math.inf, math.nan, 2**53, b"bytes", {1: "one"}, {"$x": 1j}])
def test_what_only_a_tag_could_carry_is_refused(value: object) -> None:
    with pytest.raises(BridgeError) as refused:
        _ready({"default": value})
    assert refused.value.code == "unencodable"
