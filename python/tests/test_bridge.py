from __future__ import annotations

import asyncio
import doctest
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast

import pytest

from caduceus import Bridge, BridgeError, CallContext, batched, bridge, operation
from caduceus._context import entered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator


@dataclass
class Word:
    text: str
    weight: float = 1.0


class Ask(TypedDict):
    n: int


class WordCountBridge(Bridge):
    version = "1.2.0"
    capabilities = ("counting",)

    def setup(self) -> None:
        self.steps = ["setup"]

    @operation
    def count(self, text: str, ignore: list[str] | None = None) -> int:
        """Count the words
        of a text.

        And more about it.
        """
        return len([word for word in text.split() if word not in (ignore or [])])

    @operation(name="grow", change="update", key="id", idempotent=True, description="Add to it.")
    async def extend(self, id: str, words: list[Word], ctx: CallContext) -> dict[str, Any]:
        return {"id": id, "weights": [word.weight for word in words], "session": ctx.session_id}

    @operation
    def each(self, text: str) -> Iterator[int]:
        for word in text.split():
            yield int(word) if word.isdigit() else cast("int", word)

    @operation
    async def aeach(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            yield number

    @operation
    def iterated(self, count: int) -> Iterator[int]:
        return iter(range(count))

    @operation
    def mixed(self, a: int, /, b: int, *rest: int, c: int = 0, **more: str) -> list[Any]:
        return [a, b, rest, c, more]

    @operation
    def anything(self, value, ctx):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        return [value, ctx.op]

    @operation
    @staticmethod
    def fixed(n: int) -> str:
        return str(n) if n else cast("str", n)

    @operation
    @batched
    def squares(self, calls: list[Ask]) -> list[int | Exception]:
        return [ValueError("zero") if ask["n"] == 0 else ask["n"] ** 2 for ask in calls]

    @operation
    @batched
    async def contexts(self, calls: list[dict[str, Any]], ctx: CallContext) -> list[str]:
        return [ctx.op for _ in calls]


@pytest.fixture
def words() -> WordCountBridge:
    return WordCountBridge(mode="pool-worker", worker_id="w/1")


def _refusal(made: Bridge, op: str, args: dict[str, Any]) -> str:
    with pytest.raises(BridgeError) as caught:
        made.handle_command(op, args)
    assert caught.value.code == "invalid_arguments"
    return str(caught.value)


def _awaited(result: object) -> object:
    return asyncio.run(cast("Coroutine[Any, Any, object]", result))


def test_the_class_says_what_the_bridge_is_called(words: WordCountBridge) -> None:
    assert words.get_framework_info() == {
        "name": "word_count",
        "version": "1.2.0",
        "capabilities": ["counting"],
    }
    assert words.steps == ["setup"]
    assert (words.mode, words.worker_id) == ("pool-worker", "w/1")


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("MyMLBridge", "my_ml"),
        ("Words", "words"),
        ("Bridge", "bridge"),
        ("HTTPServer2", "http_server2"),
    ],
)
def test_a_name_in_snake_case_is_made_of_the_classes(class_name: str, name: str) -> None:
    assert bridge.snake_case(class_name) == name


def test_operations_come_in_the_order_of_their_definition(words: WordCountBridge) -> None:
    assert words.supported_operations()[4:8] == ["count", "grow", "each", "aeach"]


def test_arguments_are_bound_by_name(words: WordCountBridge) -> None:
    assert words.handle_command("count", {"text": "a b a", "ignore": ["a"]}) == 1
    assert words.handle_command("count", {"text": "a b", "ignore": None}) == 2
    assert words.handle_command("anything", {"value": b"x"}) == [b"x", "anything"]


def test_values_without_names_are_bound_in_their_order(words: WordCountBridge) -> None:
    assert words.handle_command("count", {"*": ["a b"]}) == 2
    assert words.handle_command("count", {"*": ["a b", ["b"]]}) == 1
    assert words.handle_command("anything", {"*": [[1, 2]]}) == [[1, 2], "anything"]
    assert words.handle_command("mixed", {"*": [1, 2, 3, 4]}) == [1, 2, (3, 4), 0, {}]
    assert words.handle_command("squares", {"*": [3]}) == 9
    assert _refusal(words, "count", {"*": ["a", [], 3]}) == (
        "count: args are 3 values, at most 2 are taken"
    )
    assert "args[3] must be an integer" in _refusal(words, "mixed", {"*": [1, 2, 3, "x"]})


def test_every_kind_of_parameter_is_served(words: WordCountBridge) -> None:
    given = {"a": 1, "b": 2, "c": 3, "d": "four"}
    assert words.handle_command("mixed", given) == [1, 2, (), 3, {"d": "four"}]
    assert "args.d must be a string" in _refusal(words, "mixed", {**given, "d": 4})


@pytest.mark.parametrize(
    ("args", "finding"),
    [
        ({}, "count: args.text is missing"),
        ({"txt": "a"}, "count: args.txt is no argument; did you mean text?"),
        ({"text": "a", "xyz": 1}, "count: args.xyz is no argument; there are text, ignore"),
        ({"text": 5}, "count: args.text must be a string, not int"),
        ({"text": "a", "ignore": ["a", 1]}, "count: args.ignore[1] must be a string, not int"),
        ({"text": "a", "ctx": 1}, "count: args.ctx is no argument; there are text, ignore"),
    ],
)
def test_wrong_arguments_are_refused_before_the_handler_runs(
    words: WordCountBridge, args: dict[str, Any], finding: str
) -> None:
    assert _refusal(words, "count", args) == finding
    assert words.error_count == 1


def test_a_coroutine_gets_what_its_hints_name_and_the_context(words: WordCountBridge) -> None:
    args = {"id": "x", "words": [{"text": "a", "weight": 2}]}
    with entered(CallContext(1, "alice", "grow")):
        result = words.handle_command("grow", args)
        assert _awaited(result) == {"id": "x", "weights": [2.0], "session": "alice"}


def test_a_generators_items_are_checked_one_by_one(words: WordCountBridge) -> None:
    items = cast("Iterator[int]", words.handle_command("each", {"text": "1 x"}))
    assert next(items) == 1
    with pytest.raises(BridgeError, match=r"each: item\[1\] must be an integer, not str") as caught:
        next(items)
    assert caught.value.code == "invalid_result"


def test_an_asynchronous_generator_and_an_iterator_stream_too(words: WordCountBridge) -> None:
    async def collected() -> list[int]:
        items = cast("AsyncIterator[int]", words.handle_command("aeach", {"count": 2}))
        return [item async for item in items]

    assert asyncio.run(collected()) == [0, 1]
    iterated = cast("Iterator[int]", words.handle_command("iterated", {"count": 2}))
    assert list(iterated) == [0, 1]


def test_a_closed_stream_closes_its_generator() -> None:
    closed = []

    class Endless(Bridge):
        @operation
        def run_on(self) -> Iterator[int]:
            try:
                while True:
                    yield 1
            finally:
                closed.append(True)

    items = cast("Any", Endless().handle_command("run_on", {}))
    next(items)
    items.close()
    assert closed == [True]


def test_a_result_that_is_not_what_was_promised_is_the_bridges_fault(
    words: WordCountBridge,
) -> None:
    assert words.handle_command("fixed", {"n": 1}) == "1"
    with pytest.raises(BridgeError, match="fixed: result must be a string, not int") as caught:
        words.handle_command("fixed", {"n": 0})
    assert caught.value.code == "invalid_result"


def test_schemas_say_all_that_is_known(words: WordCountBridge) -> None:
    schemas = words.operation_schemas()
    assert list(schemas) == words.supported_operations()[4:]
    assert schemas["count"]["description"] == "Count the words of a text."
    assert schemas["count"]["result"] == {"type": "integer"}
    grow = {key: schemas["grow"][key] for key in ("change", "key", "idempotent", "description")}
    assert grow == {
        "change": "update",
        "key": "id",
        "idempotent": True,
        "description": "Add to it.",
    }
    assert list(schemas["grow"]["args"]["properties"]) == ["id", "words"]
    streams = [name for name, schema in schemas.items() if schema.get("stream")]
    assert streams == ["each", "aeach", "iterated"]
    assert [name for name, schema in schemas.items() if schema.get("batch")] == [
        "squares",
        "contexts",
    ]
    assert schemas["squares"]["args"]["required"] == ["n"]
    assert schemas["squares"]["result"] == {"type": "integer"}
    assert schemas["mixed"]["args"]["additionalProperties"] == {"type": "string"}
    assert schemas["anything"] == {
        "args": {
            "type": "object",
            "properties": {"value": {}},
            "required": ["value"],
            "additionalProperties": False,
        },
        "result": {},
    }


def test_capabilities_show_the_schemas(words: WordCountBridge) -> None:
    shown = cast("dict[str, Any]", words.handle_command("get_capabilities", {}))
    assert shown["operations"] == words.operation_schemas()


def test_the_examples_in_the_documentation_run() -> None:
    outcome = doctest.testmod(bridge)
    assert (outcome.failed, outcome.attempted) == (0, 6)
