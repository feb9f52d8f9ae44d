"""What does a worker say of itself while its handlers compute?"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fake_node import FakeNode


def ping(node: FakeNode, seq: int) -> object:
    node.control.send({"type": "ping", "seq": seq})
    pong = node.control_message("pong")
    assert pong["seq"] == seq
    return pong["running"]


def test_a_ping_is_answered_with_the_call_that_runs(sync_node: FakeNode) -> None:
    assert ping(sync_node, 1) is None
    outer = sync_node.send_call("invoke", {"name": "f"})
    callback = sync_node.replies.receive()
    assert ping(sync_node, 2) == outer
    nested = sync_node.nested(callback, "spin")
    sync_node.lanes["stdout"].read_until(b"spinning\n")
    assert ping(sync_node, 3) == nested
    sync_node.cancel(nested, "raise")
    assert sync_node.replies.receive()["id"] == nested
    assert ping(sync_node, 4) == outer
    sync_node.answer(callback, 1)
    assert sync_node.replies.receive()["id"] == outer
    assert ping(sync_node, 5) is None


def test_the_stacks_are_written_when_asked_for(sync_node: FakeNode) -> None:
    sync_node.send_call("spin")
    sync_node.lanes["stdout"].read_until(b"spinning\n")
    os.kill(sync_node.process.pid, signal.SIGUSR1)
    said = sync_node.lanes["stderr"].read_until(b"op_spin")
    assert b"most recent call first" in said
    # It tells; it does not end anything.
    assert ping(sync_node, 1) == 1


def test_the_stacks_are_written_while_the_interpreter_lock_is_held(sync_node: FakeNode) -> None:
    sync_node.send_call("hold")
    sync_node.lanes["stdout"].read_until(b"holding\n")
    os.kill(sync_node.process.pid, signal.SIGUSR1)
    assert b"op_hold" in sync_node.lanes["stderr"].read_until(b"op_hold")


def test_the_stacks_are_written_before_the_bridge_is_built(fresh: FakeNode) -> None:
    fresh.hello()
    os.kill(fresh.process.pid, signal.SIGUSR1)
    assert b"most recent call first" in fresh.lanes["stderr"].read_until(b"in serve")
