"""What does `batched` make of a function?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from caduceus import BridgeError, batched
from caduceus._errors import BridgeError as InnerError
from caduceus._handlers import is_batched
from caduceus._untagging import untagged_each


def test_the_example_in_the_documentation_runs() -> None:
    import doctest

    from caduceus import _batched

    results = doctest.testmod(_batched)
    assert results.attempted > 0
    assert results.failed == 0


def test_a_generator_cannot_be_batched() -> None:
    def count(calls: list[dict[str, Any]]) -> object:
        yield from calls

    with pytest.raises(TypeError, match="count cannot be batched: it is a generator"):
        batched(count)


def test_it_keeps_its_name_and_tells_that_it_is_batched() -> None:
    @batched
    def square(calls: list[dict[str, Any]]) -> object:
        """Square."""
        return [args["n"] ** 2 for args in calls]

    assert (square.__name__, square.__doc__) == ("square", "Square.")
    assert is_batched(square)
    assert not is_batched(square.__wrapped__)  # type: ignore[attr-defined]
    assert not is_batched(None)


def test_a_wrong_answer_to_a_single_call_is_its_error() -> None:
    @batched
    def none(_calls: list[dict[str, Any]]) -> object:
        return None

    @batched
    async def two(_calls: list[dict[str, Any]]) -> object:
        return [1, 2]

    with pytest.raises(BridgeError, match="found a value of type NoneType") as caught:
        none({})
    assert caught.value.code == "invalid_batch"
    with pytest.raises(BridgeError, match="1 results for 1 calls, found 2 results"):
        asyncio.run(two({}))


def test_only_an_exception_is_an_error_and_no_exit() -> None:
    @batched
    def odd(_calls: list[dict[str, Any]]) -> object:
        return [SystemExit(3)]

    assert isinstance(odd({}), SystemExit)


def test_an_array_that_cannot_be_made_fails_its_own_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> object:
        raise InnerError("no NumPy here", code="package_missing")

    monkeypatch.setattr("caduceus._untagging.array_from", refuse)
    array = {"$": "nd", "d": "float16", "s": [1], "i": 0}
    first, second = untagged_each(
        [{"a": array}, {"b": {"$": "bytes", "i": 1}}], [memoryview(b"xx"), memoryview(b"y")]
    )
    assert isinstance(first, InnerError)
    assert second == {"b": b"y"}
