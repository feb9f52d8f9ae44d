"""What does a worker make of calls that come together?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_node import FakeNode

BRIDGE = str(Path(__file__).parent / "support" / "batch_bridge.py")


def _start(node: FakeNode, mode: str, **more: object) -> dict[str, Any]:
    return node.start({"script": BRIDGE, "class": mode.capitalize()}, protocol="2.2", **more)


@pytest.fixture(params=["sync", "threads", "asyncio"])
def batching(fresh: FakeNode, request: pytest.FixtureRequest) -> FakeNode:
    """Give a worker with batched handlers in each of the three modes."""
    assert _start(fresh, request.param)["type"] == "ready"
    return fresh


@pytest.fixture
def in_sync(fresh: FakeNode) -> FakeNode:
    """Give the one that runs calls one at a time."""
    assert _start(fresh, "sync")["type"] == "ready"
    return fresh


def send(node: FakeNode, op: str, calls: list[Any], *segments: bytes, **more: object) -> int:
    return node.send_call(op, {"calls": calls}, None, *segments, batch=len(calls), **more)


def outcomes(node: FakeNode, op: str, calls: list[Any]) -> list[Any]:
    call_id = send(node, op, calls)
    reply = node.replies.receive()
    assert (reply["id"], reply["ok"]) == (call_id, True), reply
    found = reply["result"]
    assert isinstance(found, list)
    return found


def failure(node: FakeNode, op: str, calls: list[Any]) -> dict[str, Any]:
    call_id = send(node, op, calls)
    reply = node.replies.receive()
    assert (reply["id"], reply["ok"]) == (call_id, False), reply
    error = reply["error"]
    assert isinstance(error, dict)
    return error


@pytest.mark.parametrize("op", ["many", "amany", "function"])
def test_a_batched_handler_gets_all_calls_at_once(batching: FakeNode, op: str) -> None:
    results = [{"ok": True, "result": [n, 3, None, 0]} for n in range(3)]
    assert outcomes(batching, op, [{"n": n} for n in range(3)]) == results
    if op != "function":
        assert batching.result("runs") == [3]


def test_so_does_a_partial_of_one(batching: FakeNode) -> None:
    found = outcomes(batching, "partial", [{"n": 1}, {"n": 2}])
    assert found == [{"ok": True, "result": [n, 2, None, 7]} for n in (1, 2)]


@pytest.mark.parametrize("op", ["many", "amany", "function"])
def test_a_call_that_comes_alone_is_a_list_of_one(batching: FakeNode, op: str) -> None:
    assert batching.result(op, {"n": 5}, "alice") == [5, 1, "alice", 0]
    error = batching.error(op, {"fail": "it"})
    assert (error["type"], error["message"]) == ("ValueError", "it is bad")


def test_a_batch_of_one_is_answered_as_a_batch(batching: FakeNode) -> None:
    assert outcomes(batching, "many", [{"n": 5}]) == [{"ok": True, "result": [5, 1, None, 0]}]


@pytest.mark.parametrize("op", ["many", "amany", "one"])
def test_each_call_has_its_own_error(batching: FakeNode, op: str) -> None:
    first, second, third = outcomes(batching, op, [{"n": 0}, {"fail": "this"}, {"odd": True}])
    assert first == {"ok": True, "result": [0, 3, None, 0]}
    error = second["error"]
    assert (error["type"], error["message"]) == ("ValueError", "this is bad")
    assert error["code"] == "python_error"
    assert error["traceback"].endswith("ValueError: this is bad\n")
    assert third["error"]["code"] == "unencodable"
    assert "a value of type set cannot be sent" in third["error"]["message"]


def test_the_traceback_of_a_call_begins_in_the_handler(in_sync: FakeNode) -> None:
    (only,) = outcomes(in_sync, "one", [{"fail": "this"}])
    assert "op_one" in only["error"]["traceback"]
    assert "_batch_runs" not in only["error"]["traceback"]


@pytest.mark.parametrize("op", ["echo", "aecho"])
def test_an_ordinary_handler_is_run_for_each(batching: FakeNode, op: str) -> None:
    calls = [{"n": 0}, {}, {"text": "grüße 🐍"}]
    assert outcomes(batching, op, calls) == [{"ok": True, "result": args} for args in calls]
    assert batching.result("runs") == [1, 1, 1]


def test_a_generator_gives_each_call_its_values(batching: FakeNode) -> None:
    found = outcomes(batching, "yields", [{"n": 2}, {"n": 0}])
    assert found == [{"ok": True, "result": [0, 1]}, {"ok": True, "result": []}]


@pytest.mark.parametrize(
    ("kind", "found"), [("short", "found 1 results"), ("dict", "found a value of type dict")]
)
def test_a_wrong_answer_fails_all_alike(batching: FakeNode, kind: str, found: str) -> None:
    error = failure(batching, "shape", [{"kind": kind}, {}])
    assert error["code"] == "invalid_batch"
    assert "must return a list of 2 results" in error["message"]
    assert error["message"].endswith(found)


def test_what_a_batched_handler_raises_fails_all_alike(batching: FakeNode) -> None:
    error = failure(batching, "shape", [{"kind": "raise"}, {}, {}])
    assert (error["message"], error["code"]) == ("none of them", "not_configured")
    assert "op_shape" in error["traceback"]
    assert failure(batching, "araise", [{}, {}])["message"] == "none of 2"
    statistics = batching.result("get_stats")
    assert (statistics["command_count"], statistics["error_count"]) == (6, 5)


def test_the_errors_of_calls_are_counted_one_by_one(batching: FakeNode) -> None:
    outcomes(batching, "many", [{"n": 1}, {"fail": "a"}, {"fail": "b"}])
    outcomes(batching, "one", [{"n": 1}, {"fail": "a"}])
    statistics = batching.result("get_stats")
    assert (statistics["command_count"], statistics["error_count"]) == (6, 3)


def test_an_unknown_operation_fails_each(batching: FakeNode) -> None:
    found = outcomes(batching, "absent", [{}, {}])
    assert [outcome["error"]["code"] for outcome in found] == ["unknown_operation"] * 2


@pytest.mark.parametrize("op", ["many", "one"])
def test_arguments_that_are_no_object_fail_their_own_call(batching: FakeNode, op: str) -> None:
    first, second, third = outcomes(batching, op, [[1], {"n": 4}, None])
    assert first["error"]["code"] == "invalid_arguments"
    assert "must be an object, not list" in first["error"]["message"]
    assert second["result"][0] == 4
    assert third["result"][0] is None


@pytest.mark.parametrize("op", ["echo_all", "echo"])
def test_values_of_all_calls_are_exact(batching: FakeNode, op: str) -> None:
    calls: list[dict[str, Any]] = [
        {"blob": {"$": "bytes", "i": 1}, "$$key": {"$": "inf"}},
        {"plain": [1, "two"]},
        {"blob": {"$": "bytes", "i": 0}, "int": {"$": "int", "v": "0x40000000000000"}},
    ]
    call_id = send(batching, op, calls, b"first", b"second segment", tagged=True)
    reply, segments = batching.replies.receive_whole()
    assert (reply["id"], reply["ok"], reply["tagged"]) == (call_id, True, True)
    # Segments are numbered as they are met, on the way back.
    assert segments == [b"second segment", b"first"]
    assert reply["result"] == [
        {"ok": True, "result": {"blob": {"$": "bytes", "i": 0}, "$$key": {"$": "inf"}}},
        {"ok": True, "result": calls[1]},
        {"ok": True, "result": {"blob": {"$": "bytes", "i": 1}, "int": calls[2]["int"]}},
    ]


def test_a_value_may_be_as_deep_as_that_of_a_single_call(batching: FakeNode) -> None:
    deep: object = {"$": "nan"}
    for _ in range(511):
        deep = [deep]
    call_id = send(batching, "echo", [{"deep": deep}], tagged=True)
    reply = batching.replies.receive()
    assert (reply["id"], reply["result"]) == (
        call_id,
        [{"ok": True, "result": {"deep": deep}}],
    )


def test_a_handler_may_return_the_same_memory_each_time(in_sync: FakeNode) -> None:
    send(in_sync, "same_memory", [{"n": n} for n in range(3)])
    reply, segments = in_sync.replies.receive_whole()
    assert [outcome["ok"] for outcome in reply["result"]] == [True] * 3
    assert segments == [bytes((0, 0, 0, n)) for n in range(3)]


def test_a_cancelled_batch_runs_no_further_call(in_sync: FakeNode) -> None:
    calls = [{"n": 0}, {"n": 1, "wait": True, "swallow": True}, {"n": 2}]
    call_id = send(in_sync, "wait", calls)
    in_sync.lanes["stdout"].read_until(b"waiting\n")
    in_sync.cancel(call_id, "flag")
    reply = in_sync.replies.receive()
    assert (reply["id"], reply["error"]["code"]) == (call_id, "cancelled")
    assert in_sync.result("runs") == [0, 1]


@pytest.mark.parametrize("stage", ["flag", "raise"])
def test_a_cancelled_batch_is_one_cancelled_call(in_sync: FakeNode, stage: str) -> None:
    call_id = send(in_sync, "wait", [{"n": 0, "wait": True}, {"n": 1}])
    in_sync.lanes["stdout"].read_until(b"waiting\n")
    in_sync.cancel(call_id, stage)
    reply = in_sync.replies.receive()
    assert (reply["id"], reply["ok"], reply["error"]["code"]) == (call_id, False, "cancelled")
    assert in_sync.result("runs") == [0]


@pytest.mark.parametrize("mode", ["sync", "asyncio"])
def test_the_task_of_a_cancelled_batch_is_cancelled(fresh: FakeNode, mode: str) -> None:
    _start(fresh, mode)
    call_id = send(fresh, "asleep", [{"n": 0}, {"n": 1}])
    fresh.lanes["stdout"].read_until(b"sleeping\n")
    fresh.cancel(call_id, "raise")
    reply = fresh.replies.receive()
    assert (reply["id"], reply["error"]["code"]) == (call_id, "cancelled")
    assert fresh.result("runs") == [0]


def test_a_batch_that_waits_can_be_withdrawn(in_sync: FakeNode) -> None:
    running = in_sync.send_call("wait", {"n": 0, "wait": True})
    batch = send(in_sync, "many", [{"n": 1}, {"n": 2}])
    in_sync.lanes["stdout"].read_until(b"waiting\n")
    in_sync.control.send({"type": "withdraw", "id": batch})
    assert in_sync.control_message("withdrawn")["ok"] is True
    in_sync.cancel(running, "flag")
    assert in_sync.replies.receive()["id"] == running
    reply = in_sync.replies.receive()
    assert (reply["id"], reply["error"]["code"]) == (batch, "withdrawn")
    assert in_sync.result("runs") == [0]


def test_system_exit_in_one_of_them_ends_the_process(batching: FakeNode) -> None:
    send(batching, "exit", [{}, {"status": 7}, {}])
    assert batching.exit_status() == 7


def test_a_child_that_comes_back_from_a_handler_runs_no_further_call(
    in_sync: FakeNode, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    calls = [{"path": str(path), "fork": number == 0} for number in range(3)]
    found = outcomes(in_sync, "fork", calls)
    assert [outcome["result"] for outcome in found] == ["back"] * 3
    assert path.read_text() == "ran\n" * 3


def test_what_does_not_fit_into_the_frame_fails_its_own_call(fresh: FakeNode) -> None:
    _start(fresh, "sync", frameBytesMax=65_536)
    counts = [30_000, 30_000, 30_000, 10]
    found = outcomes(fresh, "long", [{"count": count} for count in counts])
    assert [outcome["ok"] for outcome in found] == [True, True, False, True]
    assert found[2]["error"]["code"] == "unencodable"
    assert "ask for smaller batches" in found[2]["error"]["message"]
    found = outcomes(fresh, "long_error", [{"count": 10_000} for _ in range(8)])
    errors = [outcome["error"] for outcome in found]
    assert {error["type"] for error in errors} == {"ValueError"}
    assert "does not fit" in errors[-1]["message"]
    assert fresh.result("long", {"count": 60_000}) == "x" * 60_000


def test_a_batch_whose_outcomes_fit_into_no_frame_fails_as_a_whole(fresh: FakeNode) -> None:
    _start(fresh, "sync", frameBytesMax=65_536)
    error = failure(fresh, "long_error", [{"count": 1} for _ in range(1_000)])
    assert error["code"] == "unencodable"
    assert fresh.result("echo", {"n": 1}) == {"n": 1}


@pytest.mark.parametrize(
    "more",
    [
        {"args": {"calls": [{}]}},
        {"args": {"calls": {}}},
        {"args": {"calls": [{}, {}], "more": 1}},
        {"args": [{}, {}]},
        {"batch": 0},
        {"batch": True},
        {"batch": "2"},
        {"session": "alice"},
        {"stream": {"credit": 1}},
    ],
)
def test_a_malformed_batch_ends_the_worker(in_sync: FakeNode, more: dict[str, Any]) -> None:
    message = {"type": "call", "id": 1, "op": "many", "args": {"calls": [{}, {}]}, "batch": 2}
    in_sync.lanes["calls"].send({**message, "session": None, "deadlineMs": 1_000, **more})
    assert in_sync.exit_status() == -9
    assert b"protocol error" in in_sync.lanes["stderr"].read_to_end()


def test_ready_tells_which_operations_are_batched(fresh: FakeNode) -> None:
    schemas = _start(fresh, "sync")["schemas"]
    batched = {name for name, schema in schemas.items() if schema == {"batch": True}}
    assert batched == {"many", "amany", "echo_all", "shape", "araise", "function", "partial"}
    assert schemas["yields"] == {"stream": True}
