from __future__ import annotations

import threading

import pytest

from caduceus import CallContext
from caduceus._calls import CallTable, read_call
from caduceus._frames import FrameError


class NoLink:
    def progress(self, call: CallContext, value: object) -> None:
        raise AssertionError

    def invoke(
        self, call: CallContext, name: str, args: object, timeout_ms: float | None
    ) -> object:
        raise AssertionError

    async def ainvoke(
        self, call: CallContext, name: str, args: object, timeout_ms: float | None
    ) -> object:
        raise AssertionError


def _call(call_id: int, parent: CallContext | None = None) -> CallContext:
    return CallContext(call_id, None, "op", parent=parent)


def test_a_call_starts_and_is_over() -> None:
    table = CallTable()
    call = _call(1)
    assert table.start(call) == "started"
    assert not table.finish(call)
    assert table.cancel(1, is_raise_wanted=False) == []
    assert not call.is_cancelled


def test_a_withdrawn_call_never_starts() -> None:
    table = CallTable()
    assert table.withdraw(2)
    assert table.start(_call(1)) == "started"
    assert table.start(_call(2)) == "withdrawn"


def test_a_call_that_has_started_or_is_over_cannot_be_withdrawn() -> None:
    table = CallTable()
    first = _call(1)
    table.start(first)
    assert not table.withdraw(1)
    table.finish(first)
    assert not table.withdraw(1)


def test_a_nested_call_overtakes_those_that_wait() -> None:
    table = CallTable()
    outer = _call(1)
    table.start(outer)
    nested = _call(4, outer)
    assert table.start(nested) == "started"
    table.finish(nested)
    assert not table.withdraw(4)
    assert table.withdraw(3)
    assert table.start(_call(2)) == "started"
    assert table.start(_call(3)) == "withdrawn"


def test_a_call_cancelled_before_it_starts_does_not() -> None:
    table = CallTable()
    assert table.cancel(2, is_raise_wanted=False) == []
    assert table.start(_call(1)) == "started"
    assert table.start(_call(2)) == "cancelled"


def test_cancelling_reaches_the_calls_that_are_nested() -> None:
    table = CallTable()
    outer = _call(1)
    nested = _call(2, outer)
    other = _call(3)
    for call in (outer, nested, other):
        table.start(call)
    assert set(table.cancel(1, is_raise_wanted=True)) == {outer, nested}
    assert nested.is_cancelled
    assert not other.is_cancelled
    assert table.start(_call(4, nested)) == "cancelled"


def test_what_is_known_of_calls_to_come_does_not_pile_up() -> None:
    table = CallTable()
    for call_id in range(1, 1_000):
        table.withdraw(call_id)
        table.cancel(call_id, is_raise_wanted=False)
        assert table.start(_call(call_id)) == "withdrawn"
    assert table._withdrawn == table._cancelled == table._nested == set()


def test_stopping_takes_no_call_but_nested_ones() -> None:
    table = CallTable()
    outer = _call(1)
    table.start(outer)
    assert not table.stop()
    assert table.start(_call(2)) == "stopping"
    nested = _call(3, outer)
    assert table.start(nested) == "started"
    assert not table.finish(nested)
    assert table.finish(outer)
    assert table.stop()


def test_a_call_is_withdrawn_or_started_and_never_both() -> None:
    table = CallTable()
    count = 20_000
    withdrawn: list[int] = []

    def withdraw() -> None:
        withdrawn.extend(number for number in range(1, count) if table.withdraw(number))

    thread = threading.Thread(target=withdraw)
    thread.start()
    started = []
    for number in range(1, count):
        call = _call(number)
        if table.start(call) == "started":
            started.append(number)
            table.finish(call)
    thread.join()
    assert len(started) + len(withdrawn) == count - 1
    assert not set(started) & set(withdrawn)


@pytest.mark.parametrize(
    ("more", "finding"),
    [
        ({"id": "1"}, "without a usable id or op"),
        ({"id": True}, "without a usable id or op"),
        ({"op": None}, "without a usable id or op"),
        ({"session": 5}, "session must be"),
        ({"stream": {}}, "credit of at least 1"),
        ({"stream": {"credit": 0}}, "credit of at least 1"),
        ({"stream": {"credit": 1.5}}, "credit of at least 1"),
        ({"stream": []}, "credit of at least 1"),
        ({"trace": "x"}, "trace must be an object of strings"),
        ({"trace": {"traceparent": 1}}, "trace must be an object of strings"),
    ],
)
def test_a_malformed_call_is_named(more: dict[str, object], finding: str) -> None:
    message = {"type": "call", "id": 1, "op": "echo", "args": {}, **more}
    with pytest.raises(FrameError, match=finding):
        read_call(message, NoLink(), None)


def test_a_call_is_read_with_its_extras() -> None:
    message = {"type": "call", "id": 1, "op": "echo", "session": "s", "deadlineMs": 1_000}
    parent = _call(9)
    call = read_call({**message, "trace": {"baggage": "a=1"}}, NoLink(), parent)
    remaining_ms = call.remaining_ms()
    assert remaining_ms is not None
    assert 0 < remaining_ms <= 1_000
    assert (call.session_id, call.trace, call._depth) == ("s", {"baggage": "a=1"}, 1)
    assert read_call(message, NoLink(), None).trace == {}
