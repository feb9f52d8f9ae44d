from __future__ import annotations

import asyncio
from typing import Any, TypedDict, cast

import pytest

from caduceus import Bridge, BridgeError, CallContext, batched, operation


class Ask(TypedDict):
    n: int


class Words(Bridge):
    @operation
    def count(self, text: str, ignore: list[str] | None = None) -> int:
        return len([word for word in text.split() if word not in (ignore or [])])

    @operation
    def each(self, text: str) -> list[str]:
        return text.split()

    @operation
    @batched
    def squares(self, calls: list[Ask]) -> list[int | Exception]:
        return [ValueError("zero") if ask["n"] == 0 else ask["n"] ** 2 for ask in calls]

    @operation
    @batched
    async def contexts(self, calls: list[dict[str, Any]], ctx: CallContext) -> list[str]:
        return [ctx.op for _ in calls]


@pytest.fixture
def words() -> Words:
    return Words()


def _awaited(result: object) -> object:
    return asyncio.run(cast("Any", result))


def test_a_batch_is_checked_call_by_call(words: Words) -> None:
    assert words.is_batched("squares")
    assert words.handle_command("squares", {"n": 2}) == 4
    with pytest.raises(ValueError, match="zero"):
        words.handle_command("squares", {"n": 0})
    calls: list[dict[str, Any]] = [{"n": 2}, {"n": "x"}, {"n": 0}, {"n": 3.0}]
    first, second, third, fourth = cast("list[Any]", words.handle_batch("squares", calls))
    assert (first, fourth) == (4, 9)
    assert (type(second), second.code) == (BridgeError, "invalid_arguments")
    assert type(third) is ValueError
    assert _awaited(words.handle_batch("contexts", [{}, {}])) == ["contexts"] * 2
    assert _awaited(words.handle_command("contexts", {})) == "contexts"


def test_a_batch_in_which_no_call_is_sound_does_not_run(words: Words) -> None:
    answers = cast("list[Any]", words.handle_batch("squares", [{}, {"n": "x"}]))
    assert [answer.code for answer in answers] == ["invalid_arguments"] * 2


def test_a_batch_of_another_length_is_refused() -> None:
    class Short(Bridge):
        @operation
        @batched
        def none(self, calls: list[Any]) -> list[Any]:
            return []

    with pytest.raises(BridgeError) as caught:
        Short().handle_batch("none", [{}])
    assert caught.value.code == "invalid_batch"


def test_a_method_that_takes_the_place_of_an_operation_is_one() -> None:
    class Louder(Words):
        def count(self, text: str, ignore: list[str] | None = None, factor: int = 2) -> int:
            return factor * super().count(text, ignore)

        each = None  # type: ignore[assignment]

    made = Louder()
    assert made.handle_command("count", {"text": "a b"}) == 4
    assert "each" not in made.supported_operations()


@pytest.mark.parametrize("name", ["run", "name", "mode", "lock", "handle_command"])
def test_what_a_bridge_is_made_of_is_no_operation(name: str) -> None:
    @operation
    def anything(self: Bridge) -> None:
        """Never run."""

    with pytest.raises(TypeError, match=rf'Own.{name} is what every bridge has.*name="{name}"'):
        type("Own", (Bridge,), {name: anything})


def test_a_setup_that_nobody_would_await_is_refused() -> None:
    with pytest.raises(TypeError, match="setup must not be async"):

        class Late(Bridge):
            async def setup(self) -> None:  # type: ignore[override]
                """Never awaited."""


@pytest.mark.parametrize(
    ("options", "finding"),
    [
        ({"change": "create"}, "key is needed"),
        ({"change": "make", "key": "id"}, "change must be one of configure, create"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: dict[str, Any], finding: str
) -> None:
    with pytest.raises(TypeError, match=finding):
        operation(**options)


def test_operations_that_nobody_could_call_are_refused_when_the_bridge_is_made() -> None:
    class Keyless(Bridge):
        @operation(change="delete", key="id")
        def drop(self, name: str) -> None: ...

    class Twice(Bridge):
        @operation
        def a(self) -> None: ...

        @operation(name="a")
        def b(self) -> None: ...

    class Wide(Bridge):
        @operation
        @batched
        def wide(self, calls: list[Any], more: int) -> list[Any]:
            return [more for _ in calls]

    class Hidden(Bridge):
        @operation
        def hidden(self, ctx: CallContext, /) -> None: ...

    for cls, finding in (
        (Keyless, "its key 'id' is none of its arguments"),
        (Twice, "a and b are both it"),
        (Wide, "batched: it takes one argument"),
        (Hidden, "ctx must be given by name"),
    ):
        with pytest.raises(TypeError, match=finding):
            cls()
