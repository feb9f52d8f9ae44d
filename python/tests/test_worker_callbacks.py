"""How does a handler call back into Node, and what may happen inside the callback?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_node import MODES

if TYPE_CHECKING:
    from fake_node import FakeNode


def result_of(node: FakeNode, call_id: int) -> Any:  # noqa: ANN401
    reply = node.replies.receive()
    assert (reply["type"], reply["id"]) == ("reply", call_id), reply
    assert reply["ok"], reply
    return reply["result"]


def invoke_ops(node: FakeNode) -> list[str]:
    """Return the operations that may call back in the mode of this worker."""
    return ["ainvoke"] if node.mode == "asyncio" else ["invoke", "ainvoke"]


def test_a_callback_is_answered_where_it_was_made(any_node: FakeNode) -> None:
    for op in invoke_ops(any_node):
        call_id = any_node.send_call(op, {"name": "search", "args": {"q": 1}, "timeoutMs": 5_000})
        callback = any_node.replies.receive()
        number = callback["callback"]
        assert callback == {
            "type": "callback",
            "id": call_id,
            "callback": number,
            "name": "search",
            "args": {"q": 1},
            "timeoutMs": 5_000,
        }
        any_node.answer(callback, {"hits": [1, 2]})
        assert result_of(any_node, call_id) == {"hits": [1, 2]}


def test_a_callback_that_failed_raises_its_code_there(sync_node: FakeNode) -> None:
    call_id = sync_node.send_call("invoke_caught", {"name": "f"})
    callback = sync_node.replies.receive()
    error = {"type": "TypeError", "message": "x is not a function", "code": "callback_failed"}
    sync_node.lanes["calls"].send(
        {
            "type": "callback_result",
            "callback": callback["callback"],
            "ok": False,
            "error": error,
        }
    )
    assert result_of(sync_node, call_id) == [
        "callback_failed",
        "callback 'f': x is not a function",
    ]


def test_a_callback_error_that_nobody_catches_is_the_calls_error(any_node: FakeNode) -> None:
    any_node.send_call("ainvoke", {"name": "f"})
    callback = any_node.replies.receive()
    any_node.lanes["calls"].send(
        {
            "type": "callback_result",
            "callback": callback["callback"],
            "ok": False,
            "error": {"type": "E", "message": "no such function", "code": "callback_unknown"},
        }
    )
    error = any_node.replies.receive()["error"]
    assert (error["type"], error["code"]) == ("CallbackError", "callback_unknown")


def test_a_callback_that_is_not_answered_times_out(any_node: FakeNode) -> None:
    for op in invoke_ops(any_node):
        any_node.send_call(op, {"name": "f", "timeoutMs": 1})
        callback = any_node.replies.receive()
        assert any_node.replies.receive()["error"]["code"] == "callback_timeout"
        # The answer that comes too late is nobody's.
        any_node.answer(callback, 1)
        assert any_node.result("echo", {"n": 1}) == {"n": 1}


def test_a_nested_call_is_run_by_the_thread_that_waits(any_node: FakeNode) -> None:
    for op in invoke_ops(any_node):
        outer = any_node.send_call(op, {"name": "f"}, "alice")
        callback = any_node.replies.receive()
        for nested_op in ("echo", "aecho"):
            nested = any_node.nested(callback, nested_op, {"n": 1})
            assert result_of(any_node, nested) == {"n": 1}
        any_node.answer(callback, "answered")
        assert result_of(any_node, outer) == "answered"


def test_calls_that_are_not_nested_wait_their_turn(sync_node: FakeNode) -> None:
    for op in ("invoke", "ainvoke"):
        outer = sync_node.send_call(op, {"name": "f"})
        callback = sync_node.replies.receive()
        waiting = sync_node.send_call("echo", {"n": "waits"})
        nested = sync_node.nested(callback, "echo", {"n": "nested"})
        assert result_of(sync_node, nested) == {"n": "nested"}
        sync_node.answer(callback, 1)
        assert result_of(sync_node, outer) == 1
        assert result_of(sync_node, waiting) == {"n": "waits"}


@pytest.mark.parametrize("ops", [("invoke", "ainvoke"), ("ainvoke", "invoke")])
def test_calls_nest_eight_deep_and_no_deeper(sync_node: FakeNode, ops: tuple[str, str]) -> None:
    calls = [sync_node.send_call("invoke", {"name": "f0"})]
    callbacks = [sync_node.replies.receive()]
    for depth in range(1, 9):
        calls.append(sync_node.nested(callbacks[-1], ops[depth % 2], {"name": f"f{depth}"}))
        callbacks.append(sync_node.replies.receive())
        assert callbacks[-1]["name"] == f"f{depth}"
    too_deep = sync_node.nested(callbacks[-1], "echo")
    reply = sync_node.replies.receive()
    assert reply["id"] == too_deep
    assert "nested 9 deep" in reply["error"]["message"]
    while callbacks:
        sync_node.answer(callbacks.pop(), len(calls))
        call_id = calls.pop()
        assert result_of(sync_node, call_id) == len(calls) + 1
    assert sync_node.result("aecho", {"n": 1}) == {"n": 1}


def test_two_callbacks_of_one_coroutine_may_be_answered_in_any_order(any_node: FakeNode) -> None:
    call_id = any_node.send_call("ainvoke_both")
    first, second = any_node.replies.receive(), any_node.replies.receive()
    any_node.answer(second, second["name"])
    any_node.answer(first, first["name"])
    assert result_of(any_node, call_id) == ["a", "b"]


@pytest.mark.parametrize("mode", ["sync", "threads"])
def test_threads_of_a_handler_call_back_while_it_waits_for_them(fresh: FakeNode, mode: str) -> None:
    fresh.start(MODES[mode])
    names = [f"f{number}" for number in range(5)]
    call_id = fresh.send_call("invoke_in_threads", {"names": names})
    callbacks = [fresh.replies.receive() for _ in names]
    nested = fresh.nested(callbacks[0], "echo", {"n": 1})
    assert result_of(fresh, nested) == {"n": 1}
    for callback in reversed(callbacks):
        fresh.answer(callback, callback["name"].upper())
    assert result_of(fresh, call_id) == {name: name.upper() for name in names}
    assert fresh.result("echo", {"n": 1}) == {"n": 1}


def test_a_thread_of_a_coroutine_may_call_back_too(any_node: FakeNode) -> None:
    call_id = any_node.send_call("in_executor", {"name": "f"})
    callback = any_node.replies.receive()
    nested = any_node.nested(callback, "aecho", {"n": 1})
    assert result_of(any_node, nested) == {"n": 1}
    any_node.answer(callback, 7)
    assert result_of(any_node, call_id) == 7


def test_the_event_loop_refuses_a_callback_that_would_stop_it(asyncio_node: FakeNode) -> None:
    error = asyncio_node.error("invoke", {"name": "f"})
    assert error["code"] == "callback_failed"
    assert "ainvoke" in error["message"]


def test_cancelling_ends_the_wait_and_what_is_nested_in_it(any_node: FakeNode) -> None:
    for op in invoke_ops(any_node):
        call_id = any_node.send_call(op, {"name": "f"})
        any_node.replies.receive()
        any_node.cancel(call_id, "flag")
        reply = any_node.replies.receive()
        assert (reply["id"], reply["error"]["code"]) == (call_id, "cancelled")
        assert any_node.result("echo", {"n": 1}) == {"n": 1}


def test_cancelling_the_outer_call_stops_the_nested_one_that_computes(sync_node: FakeNode) -> None:
    outer = sync_node.send_call("invoke", {"name": "f"})
    callback = sync_node.replies.receive()
    nested = sync_node.nested(callback, "spin")
    sync_node.lanes["stdout"].read_until(b"spinning\n")
    sync_node.cancel(outer, "flag")
    sync_node.cancel(outer, "raise")
    replies = [sync_node.replies.receive() for _ in range(2)]
    assert [(reply["id"], reply["error"]["code"]) for reply in replies] == [
        (nested, "cancelled"),
        (outer, "cancelled"),
    ]
    assert sync_node.result("echo", {"n": 1}) == {"n": 1}


def test_a_nested_call_for_a_callback_that_waits_no_more_is_answered(sync_node: FakeNode) -> None:
    outer = sync_node.send_call("invoke_caught", {"name": "f", "timeoutMs": 1})
    callback = sync_node.replies.receive()
    assert result_of(sync_node, outer)[0] == "callback_timeout"
    nested = sync_node.nested(callback, "echo")
    reply = sync_node.replies.receive()
    assert (reply["id"], reply["error"]["code"]) == (nested, "cancelled")


def test_a_callback_whose_argument_cannot_be_sent_fails_before_it_is_made(
    sync_node: FakeNode,
) -> None:
    error = sync_node.error("unencodable_callback")
    assert error["code"] == "unencodable"
    assert error["message"].startswith("args.x: ")


def test_a_shutdown_lets_a_callback_be_answered(any_node: FakeNode) -> None:
    op = invoke_ops(any_node)[0]
    call_id = any_node.send_call(op, {"name": "f"})
    callback = any_node.replies.receive()
    any_node.control.send({"type": "shutdown"})
    any_node.wait_for_control()
    nested = any_node.nested(callback, "echo", {"n": 1})
    assert result_of(any_node, nested) == {"n": 1}
    any_node.answer(callback, "late")
    assert result_of(any_node, call_id) == "late"
    assert any_node.exit_status() == 0


def test_the_end_of_calls_ends_the_waits(any_node: FakeNode) -> None:
    op = invoke_ops(any_node)[0]
    any_node.send_call(op, {"name": "f"})
    any_node.replies.receive()
    any_node.lanes["calls"].connection.close()
    error = any_node.replies.receive()["error"]
    assert "the calls lane has ended" in error["message"]
    assert any_node.exit_status() == 0


def test_progress_comes_before_the_reply(any_node: FakeNode) -> None:
    call_id = any_node.send_call("progress", {"n": 3})
    for number in range(3):
        assert any_node.replies.receive() == {
            "type": "progress",
            "id": call_id,
            "value": {"done": number},
        }
    assert result_of(any_node, call_id) == "done"


def test_a_handler_finds_the_trace_of_its_caller(any_node: FakeNode) -> None:
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    call_id = any_node.send_call("trace", trace=trace)
    assert result_of(any_node, call_id) == trace
    assert any_node.result("trace") == {}


def test_values_with_tags_and_segments_go_both_ways(sync_node: FakeNode) -> None:
    args = {"raw": {"$": "bytes", "i": 0}, "nan": {"$": "nan"}, "$$dollar": 1}
    call_id = sync_node.send_call("echo", args, None, b"\0\1\2", tagged=True)
    reply, segments = sync_node.replies.receive_whole()
    assert (reply["id"], reply["tagged"], reply["result"]) == (call_id, True, args)
    assert segments == [b"\0\1\2"]
