"""What does a worker do when the caller of a call does not wait any more?"""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from fake_node import FakeNode


def reply_to(node: FakeNode, call_id: int) -> dict[str, Any]:
    reply = node.replies.receive()
    assert (reply["type"], reply["id"]) == ("reply", call_id), reply
    return reply


def is_alive(node: FakeNode) -> bool:
    return bool(node.result("echo", {"n": 1}) == {"n": 1})


def test_a_handler_sees_that_nobody_waits_any_more(sync_node: FakeNode) -> None:
    call_id = sync_node.send_call("until_flag")
    sync_node.lanes["stdout"].read_until(b"waiting\n")
    sync_node.cancel(call_id, "flag")
    error = reply_to(sync_node, call_id)["error"]
    assert (error["type"], error["code"]) == ("CallCancelled", "cancelled")
    assert "op_until_flag" in error["traceback"]
    assert is_alive(sync_node)


def test_a_handler_in_a_thread_sees_it_too(threads_node: FakeNode) -> None:
    call_id = threads_node.send_call("until_flag")
    threads_node.lanes["stdout"].read_until(b"waiting\n")
    # At threads the second stage is no more than the first.
    threads_node.cancel(call_id, "raise")
    assert reply_to(threads_node, call_id)["error"]["code"] == "cancelled"
    assert is_alive(threads_node)


@pytest.mark.parametrize("op", ["spin", "aspin"])
def test_python_code_that_computes_is_stopped(sync_node: FakeNode, op: str) -> None:
    call_id = sync_node.send_call(op)
    sync_node.lanes["stdout"].read_until(b"spinning\n")
    sync_node.cancel(call_id, "flag")
    sync_node.cancel(call_id, "raise")
    error = reply_to(sync_node, call_id)["error"]
    assert (error["type"], error["code"]) == ("CallCancelled", "cancelled")
    assert is_alive(sync_node)


def test_a_coroutine_that_waits_is_cancelled_and_cleans_up(
    sync_node: FakeNode,
) -> None:
    call_id = sync_node.send_call("asleep")
    sync_node.lanes["stdout"].read_until(b"sleeping\n")
    sync_node.cancel(call_id, "raise")
    assert reply_to(sync_node, call_id)["error"]["code"] == "cancelled"
    assert sync_node.result("events") == ["cleaned up"]


def test_at_asyncio_the_task_is_cancelled_and_its_neighbours_are_not(
    asyncio_node: FakeNode,
) -> None:
    cancelled = asyncio_node.send_call("asleep")
    neighbour = asyncio_node.send_call("ameet", {"n": 1})
    asyncio_node.lanes["stdout"].read_until(b"sleeping\n")
    asyncio_node.cancel(cancelled, "flag")
    asyncio_node.cancel(cancelled, "raise")
    assert reply_to(asyncio_node, cancelled)["error"]["code"] == "cancelled"
    other = asyncio_node.send_call("ameet", {"n": 2})
    replies = {reply["id"]: reply for reply in (asyncio_node.replies.receive() for _ in "12")}
    assert replies[neighbour]["result"][0] == {"n": 1}
    assert replies[other]["result"][0] == {"n": 2}


def test_at_asyncio_a_task_that_holds_up_the_loop_is_stopped(asyncio_node: FakeNode) -> None:
    call_id = asyncio_node.send_call("aspin")
    asyncio_node.lanes["stdout"].read_until(b"spinning\n")
    asyncio_node.cancel(call_id, "raise")
    assert reply_to(asyncio_node, call_id)["error"]["code"] == "cancelled"
    assert is_alive(asyncio_node)


@pytest.mark.parametrize("op", ["sleep", "asleep"])
def test_a_wait_in_the_kernel_needs_the_interrupt(sync_node: FakeNode, op: str) -> None:
    call_id = sync_node.send_call(op)
    sync_node.lanes["stdout"].read_until(b"sleeping\n")
    sync_node.cancel(call_id, "flag")
    sync_node.wait_for_control()
    os.kill(sync_node.process.pid, signal.SIGINT)
    assert reply_to(sync_node, call_id)["error"]["code"] == "cancelled"
    assert is_alive(sync_node)


def test_an_interrupt_of_a_call_that_is_not_cancelled_changes_nothing(any_node: FakeNode) -> None:
    assert any_node.result("interrupt_self") == "went on"


def test_a_framework_that_takes_sigint_does_not_keep_it(fresh: FakeNode, tmp_path: Path) -> None:
    script = tmp_path / "greedy_bridge.py"
    script.write_text(
        "import signal, time\n"
        "from caduceus import BaseBridge\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "class Greedy(BaseBridge):\n"
        "    def _register_handlers(self):\n"
        "        self._handlers['sleep'] = self.sleep\n"
        "    def _initialize_framework(self): pass\n"
        "    def get_framework_info(self):\n"
        "        return {'name': 'greedy', 'version': '1', 'capabilities': []}\n"
        "    def sleep(self, args):\n"
        "        print('sleeping', flush=True)\n"
        "        time.sleep(600)\n"
    )
    fresh.start({"script": str(script)})
    call_id = fresh.send_call("sleep")
    fresh.lanes["stdout"].read_until(b"sleeping\n")
    fresh.cancel(call_id, "flag")
    fresh.wait_for_control()
    os.kill(fresh.process.pid, signal.SIGINT)
    assert reply_to(fresh, call_id)["error"]["code"] == "cancelled"


def test_a_handler_that_swallows_it_and_returns_is_answered_as_ever(sync_node: FakeNode) -> None:
    call_id = sync_node.send_call("swallow")
    sync_node.lanes["stdout"].read_until(b"spinning\n")
    sync_node.cancel(call_id, "raise")
    assert reply_to(sync_node, call_id)["result"] == "kept"


def test_an_error_that_comes_of_it_says_so(sync_node: FakeNode) -> None:
    call_id = sync_node.send_call("translate")
    sync_node.lanes["stdout"].read_until(b"spinning\n")
    sync_node.cancel(call_id, "raise")
    error = reply_to(sync_node, call_id)["error"]
    assert (error["type"], error["code"]) == ("RuntimeError", "cancelled")


def test_cancelling_what_is_over_or_unknown_changes_nothing(any_node: FakeNode) -> None:
    call_id = any_node.send_call("echo", {"n": 1})
    assert reply_to(any_node, call_id)["result"] == {"n": 1}
    any_node.cancel(call_id, "raise")
    any_node.wait_for_control()
    assert is_alive(any_node)


def test_a_call_that_waits_is_not_run_after_its_cancellation(sync_node: FakeNode) -> None:
    running = sync_node.send_call("until_flag")
    waiting = sync_node.send_call("count", {"n": 1})
    sync_node.lanes["stdout"].read_until(b"waiting\n")
    sync_node.cancel(waiting, "flag")
    sync_node.cancel(running, "flag")
    assert reply_to(sync_node, running)["error"]["code"] == "cancelled"
    assert reply_to(sync_node, waiting)["error"]["code"] == "cancelled"
    assert sync_node.result("events") == []


def test_a_waiting_call_is_withdrawn_while_another_computes(sync_node: FakeNode) -> None:
    running = sync_node.send_call("until_flag")
    waiting = sync_node.send_call("count", {"n": 1})
    sync_node.lanes["stdout"].read_until(b"waiting\n")
    for call_id, is_withdrawn in ((waiting, True), (running, False)):
        sync_node.control.send({"type": "withdraw", "id": call_id})
        assert sync_node.control_message("withdrawn") == {
            "type": "withdrawn",
            "id": call_id,
            "ok": is_withdrawn,
        }
    sync_node.cancel(running, "flag")
    assert reply_to(sync_node, running)["error"]["code"] == "cancelled"
    assert reply_to(sync_node, waiting)["error"]["code"] == "withdrawn"
    sync_node.control.send({"type": "withdraw", "id": waiting})
    assert sync_node.control_message("withdrawn")["ok"] is False
    assert sync_node.result("events") == []


def test_each_call_is_withdrawn_or_answered_whatever_the_race(any_node: FakeNode) -> None:
    chance = random.Random(5)
    count = 300
    ids = [any_node.send_call("echo", {"n": number}) for number in range(count)]
    asked = chance.sample(ids, count // 2)
    for call_id in asked:
        any_node.control.send({"type": "withdraw", "id": call_id})
    acks = [any_node.control_message("withdrawn") for _ in asked]
    replies = [any_node.replies.receive() for _ in ids]
    assert sorted(reply["id"] for reply in replies) == ids
    withdrawn = {ack["id"] for ack in acks if ack["ok"]}
    for reply in replies:
        if reply["id"] in withdrawn:
            assert reply["error"]["code"] == "withdrawn"
        else:
            assert reply["ok"]


@pytest.mark.parametrize("op", ["echo", "aecho"])
def test_no_stray_exception_hits_the_loop_or_the_next_call(any_node: FakeNode, op: str) -> None:
    # Each call is cancelled at about the moment at which it ends. Whatever the outcome, it is the
    # outcome of that call, and the calls between, which nobody cancels, all succeed.
    for _ in range(20):
        ids = [any_node.send_call(op, {"n": number}) for number in range(40)]
        hunted = ids[::2]
        for call_id in hunted:
            any_node.cancel(call_id, "raise")
        replies = {reply["id"]: reply for reply in (any_node.replies.receive() for _ in ids)}
        assert sorted(replies) == ids
        for call_id in ids:
            reply = replies[call_id]
            is_hunted_down = call_id in hunted and not reply["ok"]
            assert reply["ok"] or (is_hunted_down and reply["error"]["code"] == "cancelled"), reply


def test_interrupts_between_and_during_calls_hit_only_cancelled_ones(sync_node: FakeNode) -> None:
    for _ in range(200):
        first = sync_node.send_call("echo", {"n": 1})
        second = sync_node.send_call("echo", {"n": 2})
        sync_node.cancel(first, "flag")
        os.kill(sync_node.process.pid, signal.SIGINT)
        reply = reply_to(sync_node, first)
        assert reply["ok"] or reply["error"]["code"] == "cancelled"
        assert reply_to(sync_node, second)["ok"]
