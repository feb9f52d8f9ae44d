"""What does a worker do with calls? Greeting, answers, errors, output."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

import caduceus
from fake_node import LANES, LAUNCH, NONCE, SAMPLE, SOURCE_FOLDER, WAIT_S, FakeNode


def test_five_lanes_open_in_order_and_hello_says_who_it_is(fresh: FakeNode) -> None:
    assert fresh.first_frames == [{"type": "lane", "nonce": NONCE, "lane": lane} for lane in LANES]
    assert fresh.hello() == {
        "type": "hello",
        "protocol": "2.2",
        "packageVersion": caduceus.__version__,
        "python": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "pid": fresh.process.pid,
        "gil": "enabled" if getattr(sys, "_is_gil_enabled", lambda: True)() else "disabled",
    }


def test_ready_says_what_the_bridge_is_and_can(fresh: FakeNode) -> None:
    ready = fresh.start(SAMPLE)
    assert ready["type"] == "ready"
    assert ready["bridge"] == "sample"
    assert ready["framework"] == {"name": "sample", "version": "1.2.3", "capabilities": ["tests"]}
    assert ready["operations"][:4] == ["ping", "get_stats", "shutdown", "get_capabilities"]
    assert "echo" in ready["operations"]


def test_a_call_gets_its_result(node: FakeNode) -> None:
    args: dict[str, object] = {"text": "grüße 🐍", "rows": [1, 2.5, None, True, {"a": []}]}
    assert node.result("echo", args) == args
    assert node.result("echo", {"n": 2}) == {"n": 2}


def test_calls_written_at_once_are_answered_in_order(node: FakeNode) -> None:
    ids = [node.send_call("echo", {"n": n}) for n in range(50)]
    replies = [node.replies.receive() for _ in ids]
    assert [reply["id"] for reply in replies] == ids
    assert [reply["result"]["n"] for reply in replies] == list(range(50))


def test_a_handler_knows_its_call(node: FakeNode) -> None:
    call_id, session, op, remaining_ms = node.result("context", session="alice")
    assert (call_id, session, op) == (1, "alice", "context")
    assert 0 < remaining_ms <= 30_000


def test_the_process_is_prepared_before_user_code(node: FakeNode) -> None:
    assert node.result("environment") == {
        "invitation": None,
        "scratch": node.scratch_folder,
        "stdin": "",
        "pickled": "Token",
        "mode": "pool-worker",
    }


def test_an_exception_arrives_with_its_traceback_and_cause(node: FakeNode) -> None:
    error = node.error("raise_chain")
    assert (error["type"], error["message"]) == ("ValueError", "no such thing")
    assert error["code"] == "python_error"
    assert "op_raise_chain" in error["traceback"]
    # The worker's own frames are nobody's business.
    assert "worker.py" not in error["traceback"]
    assert error["cause"]["type"] == "KeyError"
    assert "op_raise_chain" in error["cause"]["traceback"]
    assert node.result("echo", {"n": 1}) == {"n": 1}


@pytest.mark.parametrize(
    ("op", "args", "code", "message"),
    [
        ("nonsense", {}, "unknown_operation", "'nonsense'; supported: ping, "),
        ("echo", [1], "invalid_arguments", "must be an object, not list"),
        ("raise_coded", {}, "invalid_arguments", "give me more"),
        (
            "unencodable",
            {"kind": "set"},
            "unencodable",
            "result.rows[1].score: a value of type set",
        ),
        (
            "unencodable",
            {"kind": "key"},
            "unencodable",
            "result.rows[1].score: a key is of type int",
        ),
        ("interrupt", {}, "python_error", ""),
        ("cancel", {}, "python_error", ""),
        ("recurse", {}, "python_error", "recursion"),
    ],
)
def test_a_bad_call_fails_alone(
    node: FakeNode, op: str, args: object, code: str, message: str
) -> None:
    error = node.error(op, args)
    assert error["code"] == code
    assert message in error["message"]
    assert node.result("echo", {"n": 1}) == {"n": 1}


def test_a_result_beyond_the_frame_limit_fails_alone(fresh: FakeNode) -> None:
    fresh.start(SAMPLE, frameBytesMax=4_000)
    error = fresh.error("long", {"count": 5_000})
    assert error["code"] == "unencodable"
    assert "more than the frame limit of 4000" in error["message"]
    assert fresh.result("long", {"count": 10}) == "x" * 10


def test_a_large_result_arrives_whole(node: FakeNode) -> None:
    assert len(node.result("long", {"count": 5_000_000})) == 5_000_000


def test_everything_printed_arrives_on_the_output_lanes_only(node: FakeNode) -> None:
    assert node.result("print") == "printed"
    printed = node.lanes["stdout"].read_until(b"grandchild\n")
    assert printed.splitlines() == [b"from python", b"from C", b"from a grandchild"]
    assert node.lanes["stderr"].read_until(b"\n") == b"to stderr\n"
    node.control.send({"type": "shutdown"})
    assert node.exit_status() == 0
    # Nor did any of it go to the descriptors that the process was started with.
    assert node.process.communicate() == (b"", b"")


def test_a_log_record_arrives_on_the_control_lane(node: FakeNode) -> None:
    before_ms = time.time() * 1000
    node.result("log")
    record = node.control_message("log")
    assert record["timeMs"] >= before_ms - 1
    assert record == {
        "type": "log",
        "level": "warning",
        "logger": "sample.part",
        "message": "3 apples",
        "callId": 1,
        "timeMs": record["timeMs"],
    }


def test_there_is_one_more_thread_than_the_handlers(node: FakeNode) -> None:
    assert node.result("threads") == ["MainThread", "caduceus-control"]


def test_started_by_hand_it_explains_itself() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "CADUCEUS_WORKER"}
    ended = subprocess.run(
        [sys.executable, "-c", LAUNCH, SOURCE_FOLDER],
        env=environ,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "caduceus: CADUCEUS_WORKER is not set: this program is started by Caduceus, not by hand\n"
    )
