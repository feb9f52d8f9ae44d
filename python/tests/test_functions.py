from __future__ import annotations

import functools
import math
from types import ModuleType
from typing import Any

import pytest

from caduceus import BridgeError, operation
from caduceus._functions import FunctionsBridge, functions_of_module, methods_of


class Base:
    def inherited(self, n: int) -> int:
        return n


class Plain(Base):
    factor = 2
    callable_value = functools.partial(print)

    class Nested: ...

    def double(self, n: int) -> int:
        """Say it twice."""
        return self.factor * n

    async def later(self) -> int:
        return 1

    @staticmethod
    def fixed() -> str:
        return "fixed"

    @classmethod
    def named(cls) -> str:
        return cls.__name__

    @functools.lru_cache  # noqa: B019 - the object lives as long as the test
    def cached(self, n: int) -> int:
        return n + 1

    @property
    def costly(self) -> int:
        raise AssertionError("a property was run")

    @operation(name="other", idempotent=True)
    def renamed(self) -> None: ...

    def _hidden(self) -> None: ...


@pytest.fixture
def made() -> FunctionsBridge:
    return FunctionsBridge("plain", "1", methods_of(Plain()))


def test_the_public_methods_of_an_object_are_its_operations(made: FunctionsBridge) -> None:
    names = ["inherited", "double", "later", "fixed", "named", "cached", "other"]
    assert made.supported_operations()[4:] == names
    assert made.handle_command("double", {"n": 4}) == 8
    assert made.handle_command("fixed", {}) == "fixed"
    assert made.handle_command("named", {}) == "Plain"
    assert made.handle_command("cached", {"n": 1}) == 2


def test_hints_are_checked_there_as_well(made: FunctionsBridge) -> None:
    with pytest.raises(BridgeError, match=r"double: args\.n must be an integer, not str") as caught:
        made.handle_command("double", {"n": "4"})
    assert caught.value.code == "invalid_arguments"


def test_what_is_known_of_a_method_is_in_its_schema(made: FunctionsBridge) -> None:
    schemas = made.operation_schemas()
    assert schemas["double"]["description"] == "Say it twice."
    assert schemas["other"]["idempotent"] is True


def test_a_function_of_c_takes_what_it_takes() -> None:
    made = FunctionsBridge("c", "0", {"hypot": math.hypot, "pow": math.pow, "max": max})
    assert made.handle_command("hypot", {"*": [3, 4]}) == 5
    assert made.handle_command("pow", {"*": [2, 3]}) == 8
    assert made.handle_command("max", {"*": [1, 3, 2]}) == 3
    assert made.operation_schemas()["max"]["args"] == {"type": "object", "properties": {}}


def test_a_modules_own_public_functions_are_its_operations() -> None:
    module = ModuleType("some_module")
    code = "from math import sin\ndef f(): ...\ndef _g(): ...\nh = lambda x: x\nVALUE = 1"
    exec(code, vars(module))
    assert list(functions_of_module(module)) == ["f", "h"]


def test_a_name_of_every_bridge_is_the_modules_where_it_has_one() -> None:
    def ping(n: int) -> int:
        return n

    functions: dict[str, Any] = {"ping": ping}
    assert FunctionsBridge("m", "0", functions).handle_command("ping", {"n": 1}) == 1
