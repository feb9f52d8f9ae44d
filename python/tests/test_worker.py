from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import caduceus
from fake_node import LANES, LAUNCH, NONCE, SOURCE_FOLDER, WAIT_S, FakeNode

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = {"script": str(Path(__file__).parent / "support" / "sample_bridge.py")}


@pytest.fixture
def fresh() -> Iterator[FakeNode]:
    """Give a worker that has connected and nothing more."""
    with FakeNode() as node:
        yield node


@pytest.fixture
def node(fresh: FakeNode) -> FakeNode:
    """Give a worker that is ready for calls."""
    ready = fresh.start(SAMPLE)
    assert ready["type"] == "ready", ready
    return fresh


def _wait_for_death(pid: int, limit_s: float) -> bool:
    """Wait for the end of a process that is not our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], limit_s)[0])
    finally:
        os.close(descriptor)


def test_five_lanes_open_in_order_and_hello_says_who_it_is(fresh: FakeNode) -> None:
    assert fresh.first_frames == [{"type": "lane", "nonce": NONCE, "lane": lane} for lane in LANES]
    assert fresh.hello() == {
        "type": "hello",
        "protocol": "2.0",
        "packageVersion": caduceus.__version__,
        "python": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "pid": fresh.process.pid,
        "gil": "enabled",
    }


def test_ready_says_what_the_bridge_is_and_can(fresh: FakeNode) -> None:
    ready = fresh.start(SAMPLE)
    assert ready["type"] == "ready"
    assert ready["bridge"] == "sample"
    assert ready["framework"] == {"name": "sample", "version": "1.2.3", "capabilities": ["tests"]}
    assert ready["operations"][:4] == ["ping", "get_stats", "shutdown", "get_capabilities"]
    assert "echo" in ready["operations"]


def test_a_refusal_ends_it_with_status_2(fresh: FakeNode) -> None:
    fresh.hello()
    fresh.control.send({"type": "refuse", "reason": "protocol 3.0 found, 2.x wanted"})
    assert fresh.exit_status() == 2
    assert b"protocol 3.0 found" in fresh.lanes["stderr"].read_to_end()


def test_a_welcome_of_another_protocol_ends_it_with_status_2(fresh: FakeNode) -> None:
    fresh.hello()
    fresh.welcome(SAMPLE, protocol="3.0")
    assert fresh.exit_status() == 2


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
        ("unencodable", {"kind": "nan"}, "unencodable", "result.rows[1].score: the float nan"),
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
        ("unencodable", {"kind": "big"}, "unencodable", "result.rows[1].score: an int beyond"),
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


def test_system_exit_ends_the_process_with_its_status(node: FakeNode) -> None:
    node.send_call("exit", {"status": 7})
    assert node.exit_status() == 7
    with pytest.raises(EOFError):
        node.replies.receive()


def test_a_stray_interrupt_between_calls_changes_nothing(node: FakeNode) -> None:
    os.kill(node.process.pid, signal.SIGINT)
    assert node.result("echo", {"n": 1}) == {"n": 1}


def test_an_interrupt_during_a_call_fails_that_call(node: FakeNode, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    node.send_call("wait_for_file", {"path": str(fifo)})
    node.lanes["stdout"].read_until(b"waiting\n")
    os.kill(node.process.pid, signal.SIGINT)
    reply = node.replies.receive()
    assert reply["error"]["type"] == "KeyboardInterrupt"
    assert node.result("echo", {"n": 1}) == {"n": 1}


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


def test_the_end_of_control_kills_the_whole_group_while_a_handler_computes(node: FakeNode) -> None:
    node.send_call("spin")
    grandchild = int(node.lanes["stdout"].read_until(b"\n"))
    node.control.connection.close()
    assert node.process.wait(1.0) == -signal.SIGKILL
    assert _wait_for_death(grandchild, 1.0)


def test_shutdown_lets_the_running_call_finish(node: FakeNode, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    call_id = node.send_call("wait_for_file", {"path": str(fifo)})
    node.lanes["stdout"].read_until(b"waiting\n")
    node.control.send({"type": "shutdown"})
    node.control.send({"type": "shutdown"})
    fifo.write_text("finished")
    reply = node.replies.receive()
    assert (reply["id"], reply["result"]) == (call_id, "finished")
    assert node.exit_status() == 0


def test_shutdown_takes_no_further_call(node: FakeNode, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    first = node.send_call("wait_for_file", {"path": str(fifo)})
    node.send_call("echo")
    node.lanes["stdout"].read_until(b"waiting\n")
    node.control.send({"type": "shutdown"})
    # The calls lane is closed for reading when the message has been taken; an empty write asks.
    give_up_s = time.monotonic() + WAIT_S
    with pytest.raises(BrokenPipeError):
        while time.monotonic() < give_up_s:
            node.lanes["calls"].connection.send(b"")
    fifo.write_text("finished")
    assert node.replies.receive()["id"] == first
    assert node.exit_status() == 0
    assert node.replies.read_to_end() == b""


def test_an_idle_worker_shuts_down_at_once(node: FakeNode) -> None:
    node.control.send({"type": "shutdown"})
    assert node.exit_status() == 0


def test_the_operation_shutdown_replies_and_ends(node: FakeNode) -> None:
    assert node.result("shutdown") == {
        "status": "shutting_down",
        "worker_id": "test/0",
        "mode": "pool-worker",
    }
    assert node.exit_status() == 0


def test_the_end_of_calls_is_a_shutdown(node: FakeNode) -> None:
    node.lanes["calls"].connection.close()
    assert node.exit_status() == 0


@pytest.mark.parametrize(
    ("lane", "data", "finding"),
    [
        ("calls", struct.pack(">II", 2**31, 2**31), b"frame too long"),
        ("calls", struct.pack(">II", 2, 2) + b"[]", b"not an object"),
        ("calls", struct.pack(">II", 14, 14) + b'{"type":"what"', b"invalid JSON"),
        ("calls", struct.pack(">II", 15, 15) + b'{"type":"what"}', b"unknown message type 'what'"),
        (
            "control",
            struct.pack(">II", 15, 15) + b'{"type":"what"}',
            b"unknown message type 'what'",
        ),
    ],
)
def test_a_protocol_error_ends_the_worker_and_says_what_was_found(
    node: FakeNode, lane: str, data: bytes, finding: bytes
) -> None:
    node.lanes[lane].send_bytes(data)
    assert node.exit_status() == -signal.SIGKILL
    said = node.lanes["stderr"].read_to_end()
    assert b"caduceus: protocol error: " in said
    assert finding in said
    assert lane.encode() in said


@pytest.mark.parametrize(
    ("text", "kind"), [("1 / 0", "ZeroDivisionError"), ("import sys; sys.exit(0)", "SystemExit")]
)
def test_a_failing_import_is_reported_and_ends_it_with_status_1(
    fresh: FakeNode, tmp_path: Path, text: str, kind: str
) -> None:
    script = tmp_path / "broken_bridge.py"
    script.write_text(text)
    failed = fresh.start({"script": str(script)})
    assert failed["type"] == "failed"
    assert failed["error"]["type"] == kind
    assert "broken_bridge.py" in failed["error"]["traceback"]
    assert fresh.exit_status() == 1


def test_a_missing_package_is_reported_before_the_import(fresh: FakeNode) -> None:
    failed = fresh.start(
        {**SAMPLE, "framework": "sample", "requiredPackages": ["no-such-package-anywhere"]}
    )
    assert failed["error"]["code"] == "package_missing"
    assert "the sample bridge needs no-such-package-anywhere" in failed["error"]["message"]
    assert f"{sys.executable} -m pip install" in failed["error"]["message"]
    assert fresh.exit_status() == 1


def test_a_forked_child_does_not_hold_the_lanes(node: FakeNode, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = node.result("fork_and_stay", {"path": str(fifo)})
    os.kill(node.process.pid, signal.SIGKILL)
    # The streams end although the child is alive; that it is, it says afterwards.
    assert node.replies.read_to_end() == b""
    assert node.control.read_to_end() == b""
    fifo.write_text("go on")
    assert node.lanes["stdout"].read_until(b"\n") == b"child lives\n"
    assert _wait_for_death(child, WAIT_S)


def test_a_forked_child_that_returns_from_the_handler_answers_nothing(node: FakeNode) -> None:
    assert node.result("fork_and_return") == 1
    assert node.result("echo", {"n": 1}) == {"n": 1}


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
