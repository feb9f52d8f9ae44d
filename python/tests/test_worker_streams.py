"""How do values of generators reach a reader that may be slow, or may stop?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_node import FakeNode

BOTH = pytest.mark.parametrize("op", ["count", "acount"])


def items(node: FakeNode, count: int) -> list[Any]:
    messages = [node.replies.receive() for _ in range(count)]
    assert [message["type"] for message in messages] == ["item"] * count, messages
    return [(message["seq"], message["value"]) for message in messages]


def made(node: FakeNode) -> list[Any]:
    found = node.result("events")
    assert isinstance(found, list)
    return found


@BOTH
def test_items_come_one_by_one_and_then_the_reply(any_node: FakeNode, op: str) -> None:
    call_id = any_node.send_call(op, {"n": 3}, stream={"credit": 10})
    assert items(any_node, 3) == [(0, 0), (1, 1), (2, 2)]
    reply = any_node.replies.receive()
    assert reply == {
        "type": "reply",
        "id": call_id,
        "bridge": "modal",
        "ok": True,
        "result": None,
    }


@BOTH
def test_without_credit_the_generator_is_not_asked(any_node: FakeNode, op: str) -> None:
    call_id = any_node.send_call(op, {"n": 5}, stream={"credit": 2})
    assert items(any_node, 2) == [(0, 0), (1, 1)]
    any_node.control.send({"type": "credit", "id": call_id, "n": 1})
    assert items(any_node, 1) == [(2, 2)]
    any_node.cancel(call_id, "flag")
    assert any_node.replies.receive()["error"]["code"] == "cancelled"
    # Three were made, and no fourth in advance.
    assert made(any_node) == ["made 0", "made 1", "made 2", ["closed", True]]


@BOTH
def test_an_error_in_the_middle_comes_behind_the_items_before_it(
    any_node: FakeNode, op: str
) -> None:
    any_node.send_call(op, {"n": 2, "fail": True}, stream={"credit": 10})
    assert items(any_node, 2) == [(0, 0), (1, 1)]
    error = any_node.replies.receive()["error"]
    assert (error["type"], error["message"]) == ("ValueError", "no more")
    assert f"op_{op}" in error["traceback"]
    stats = any_node.result("get_stats")
    assert stats["error_count"] == 1


@BOTH
def test_a_generator_that_nobody_streams_is_a_list(any_node: FakeNode, op: str) -> None:
    assert any_node.result(op, {"n": 3}) == [0, 1, 2]
    assert made(any_node)[-1] == ["closed", True]


def test_a_handler_that_is_no_generator_gives_its_only_item(any_node: FakeNode) -> None:
    any_node.send_call("echo", {"a": 1}, stream={"credit": 1})
    assert items(any_node, 1) == [(0, {"a": 1})]
    assert any_node.replies.receive()["result"] is None
    any_node.send_call("aecho", {"a": 2}, stream={"credit": 1})
    assert items(any_node, 1) == [(0, {"a": 2})]
    assert any_node.replies.receive()["result"] is None


def test_an_item_that_cannot_be_sent_ends_the_stream_with_its_path(any_node: FakeNode) -> None:
    any_node.send_call("bad_item", stream={"credit": 10})
    assert items(any_node, 1) == [(0, 0)]
    error = any_node.replies.receive()["error"]
    assert error["code"] == "unencodable"
    assert "item[1].deep[0]" in error["message"]


def test_a_generator_that_computes_is_stopped_and_closed(sync_node: FakeNode) -> None:
    call_id = sync_node.send_call("spin_in_generator", stream={"credit": 5})
    assert items(sync_node, 1) == [(0, 0)]
    sync_node.lanes["stdout"].read_until(b"spinning\n")
    sync_node.cancel(call_id, "flag")
    sync_node.cancel(call_id, "raise")
    assert sync_node.replies.receive()["error"]["code"] == "cancelled"
    assert made(sync_node) == ["closed"]


def test_a_stream_that_waits_ends_at_its_deadline(any_node: FakeNode) -> None:
    any_node.send_call("count", {"n": 5}, stream={"credit": 1}, deadlineMs=50)
    assert items(any_node, 1) == [(0, 0)]
    error = any_node.replies.receive()["error"]
    assert error["code"] == "cancelled"
    assert "no credit came before its deadline" in error["message"]


def test_ready_says_which_operations_stream(fresh: FakeNode) -> None:
    from fake_node import MODES

    ready = fresh.start(MODES["sync"])
    streams = {"acount", "bad_item", "count", "partial", "spin_in_generator"}
    assert ready["schemas"] == {name: {"stream": True} for name in streams}
