"""What ends a worker, what does not, and what is left of it then?"""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
from typing import TYPE_CHECKING

import pytest

from fake_node import SAMPLE, WAIT_S, FakeNode

if TYPE_CHECKING:
    from pathlib import Path


def _frame(body: bytes) -> bytes:
    return struct.pack(">II", len(body), len(body)) + body


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


def test_a_refusal_ends_it_with_status_2(fresh: FakeNode) -> None:
    fresh.hello()
    fresh.control.send({"type": "refuse", "reason": "protocol 3.0 found, 2.x wanted"})
    assert fresh.exit_status() == 2
    assert b"protocol 3.0 found" in fresh.lanes["stderr"].read_to_end()


@pytest.mark.parametrize("protocol", ["3.0", "2.0", "2.3", "2", "2.x", 2.1, None])
def test_a_welcome_of_another_protocol_ends_it_with_status_2(
    fresh: FakeNode, protocol: object
) -> None:
    fresh.hello()
    fresh.welcome(SAMPLE, protocol=protocol)
    assert fresh.exit_status() == 2


def test_system_exit_ends_the_process_with_its_status(node: FakeNode) -> None:
    node.send_call("exit", {"status": 7})
    assert node.exit_status() == 7
    with pytest.raises(EOFError):
        node.replies.receive()


def test_a_stray_interrupt_between_calls_changes_nothing(node: FakeNode) -> None:
    os.kill(node.process.pid, signal.SIGINT)
    assert node.result("echo", {"n": 1}) == {"n": 1}


def test_an_interrupt_during_a_cancelled_call_fails_that_call(
    node: FakeNode, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    call_id = node.send_call("wait_for_file", {"path": str(fifo)})
    node.lanes["stdout"].read_until(b"waiting\n")
    node.cancel(call_id, "flag")
    node.wait_for_control()
    os.kill(node.process.pid, signal.SIGINT)
    error = node.replies.receive()["error"]
    assert (error["type"], error["code"]) == ("KeyboardInterrupt", "cancelled")
    assert node.result("echo", {"n": 1}) == {"n": 1}


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
    node.wait_for_control()
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
        ("calls", _frame(b'{"type":"call","id":"1"}'), b"without a usable id"),
        ("calls", _frame(b'{"type":"call","id":1,"op":"x","parent":1}'), b"usable callback"),
        ("calls", _frame(b'{"type":"callback_result"}'), b"usable callback"),
        (
            "calls",
            _frame(b'{"type":"call","id":1,"op":"x","args":{"$":"what"},"tagged":true}'),
            b"unknown tag",
        ),
        ("control", _frame(b'{"type":"what"}'), b"unknown message type 'what'"),
        ("control", _frame(b'{"type":"ping","seq":"1"}'), b"ping: seq must be a whole number"),
        ("control", _frame(b'{"type":"ping","seq":-1}'), b"ping: seq must be a whole number"),
        ("control", _frame(b'{"type":"credit","id":1,"n":0}'), b"n must be a whole number from 1"),
        ("control", _frame(b'{"type":"cancel","id":true,"stage":"flag"}'), b"id must be a whole"),
        ("control", _frame(b'{"type":"cancel","id":1,"stage":"kill"}'), b"unknown stage 'kill'"),
        ("control", _frame(b'{"type":"withdraw"}'), b"withdraw: id must be a whole number"),
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


def test_a_framework_without_its_version_is_named_in_the_failure(
    fresh: FakeNode, tmp_path: Path
) -> None:
    script = tmp_path / "nameless.py"
    script.write_text(
        "from base_bridge import BaseBridge\n"
        "class Nameless(BaseBridge):\n"
        "    def _register_handlers(self): pass\n"
        "    def _initialize_framework(self): pass\n"
        "    def get_framework_info(self): return {'name': 'nameless'}\n"
    )
    failed = fresh.start({"script": str(script), "framework": "nameless"})
    assert "get_framework_info must give 'version' as a str" in failed["error"]["message"]
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
