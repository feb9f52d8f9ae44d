"""How do calls run side by side, where a bridge says that they may?"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from fake_node import MODES

if TYPE_CHECKING:
    from pathlib import Path

    from fake_node import FakeNode


@pytest.mark.parametrize(
    ("mode", "wanted", "concurrency"),
    [
        ("sync", None, 1),
        ("sync", 5, 1),
        ("threads", None, 4),
        ("threads", 2, 2),
        ("threads", 9, 4),
        ("asyncio", None, 8),
        ("asyncio", 3, 3),
    ],
)
def test_ready_says_how_calls_run(
    fresh: FakeNode, mode: str, wanted: int | None, concurrency: int
) -> None:
    more = {} if wanted is None else {"concurrency": wanted}
    ready = fresh.start(MODES[mode], **more)
    assert (ready["execution"], ready["concurrency"]) == (mode, concurrency)


def test_the_schema_hash_is_that_of_the_sorted_offer(fresh: FakeNode) -> None:
    ready = fresh.start(MODES["sync"])
    offer = [sorted(ready["operations"]), ready["schemas"]]
    text = json.dumps(offer, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert ready["schemaHash"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("declaration", "finding"),
    [
        ("execution = 'fibers'", "execution must be"),
        ("execution = 'threads'; concurrency = 0", "concurrency must be"),
        ("execution = 'threads'; concurrency = 'many'", "concurrency must be"),
    ],
)
def test_a_bridge_that_declares_what_there_is_not_has_failed(
    fresh: FakeNode, tmp_path: Path, declaration: str, finding: str
) -> None:
    script = tmp_path / "odd_bridge.py"
    script.write_text(
        "from caduceus import BaseBridge\n"
        "class Odd(BaseBridge):\n"
        f"    {declaration}\n"
        "    def _register_handlers(self): pass\n"
        "    def _initialize_framework(self): pass\n"
        "    def get_framework_info(self):\n"
        "        return {'name': 'odd', 'version': '1', 'capabilities': []}\n"
    )
    failed = fresh.start({"script": str(script)})
    assert failed["type"] == "failed"
    assert finding in failed["error"]["message"]


@pytest.mark.parametrize(("mode", "op"), [("threads", "meet"), ("asyncio", "ameet")])
def test_two_calls_run_at_the_same_time(fresh: FakeNode, mode: str, op: str) -> None:
    fresh.start(MODES[mode])
    ids = [fresh.send_call(op, {"n": number}, f"session {number}") for number in range(2)]
    replies = {reply["id"]: reply for reply in (fresh.replies.receive() for _ in ids)}
    is_main = mode == "asyncio"
    for number, call_id in enumerate(ids):
        assert replies[call_id]["result"] == [{"n": number}, f"session {number}", is_main]


def test_no_more_calls_run_than_were_asked_for(fresh: FakeNode) -> None:
    fresh.start(MODES["threads"], concurrency=1)
    first = fresh.send_call("until_flag")
    second = fresh.send_call("echo")
    fresh.lanes["stdout"].read_until(b"waiting\n")
    fresh.control.send({"type": "withdraw", "id": second})
    assert fresh.control_message("withdrawn")["ok"] is True
    fresh.cancel(first, "flag")
    assert [fresh.replies.receive()["id"] for _ in "12"] == [first, second]


def test_at_asyncio_the_calls_beyond_the_limit_wait(fresh: FakeNode) -> None:
    fresh.start(MODES["asyncio"], concurrency=2)
    sleeping = [fresh.send_call("asleep") for _ in range(2)]
    third = fresh.send_call("echo")
    fresh.control.send({"type": "ping", "seq": 1})
    fresh.lanes["stdout"].read_until(b"sleeping\nsleeping\n")
    fresh.control.send({"type": "withdraw", "id": third})
    assert fresh.control_message("withdrawn")["ok"] is True
    fresh.cancel(sleeping[0], "raise")
    assert [fresh.replies.receive()["id"] for _ in "12"] == [sleeping[0], third]


def test_coroutines_share_one_event_loop_from_call_to_call(sync_node: FakeNode) -> None:
    assert [sync_node.result("loop") for _ in range(3)] == [1, 1, 1]


def test_large_replies_and_large_calls_do_not_block_each_other(any_node: FakeNode) -> None:
    # Ten megabytes each way, and nobody reads a reply before every call is written.
    text = "y" * 1_000_000
    ids = [any_node.send_call("long", {"count": 1_000_000}) for _ in range(5)]
    echoes = []
    if any_node.mode != "sync":
        echoes = [any_node.send_call("echo", {"text": text}) for _ in range(5)]
    replies = {reply["id"]: reply for reply in (any_node.replies.receive() for _ in ids + echoes)}
    assert all(len(replies[call_id]["result"]) == 1_000_000 for call_id in ids)
    assert all(replies[call_id]["result"] == {"text": text} for call_id in echoes)


def test_a_shutdown_lets_all_running_calls_finish(threads_node: FakeNode) -> None:
    first = threads_node.send_call("meet", {"n": 1})
    threads_node.control.send({"type": "ping", "seq": 3})
    threads_node.control_message("pong")
    second = threads_node.send_call("meet", {"n": 2})
    assert {threads_node.replies.receive()["id"] for _ in "12"} == {first, second}
    threads_node.control.send({"type": "shutdown"})
    assert threads_node.exit_status() == 0


def test_the_operation_shutdown_ends_every_mode(any_node: FakeNode) -> None:
    assert any_node.result("shutdown")["status"] == "shutting_down"
    assert any_node.exit_status() == 0


def test_an_idle_worker_of_every_mode_shuts_down_at_once(any_node: FakeNode) -> None:
    any_node.control.send({"type": "shutdown"})
    assert any_node.exit_status() == 0


def test_system_exit_ends_the_process_in_every_mode(any_node: FakeNode) -> None:
    any_node.send_call("exit", {"status": 7})
    assert any_node.exit_status() == 7
    assert any_node.replies.read_to_end() == b""


def test_calls_written_at_once_are_all_answered(any_node: FakeNode) -> None:
    ids = [any_node.send_call("aecho", {"n": number}) for number in range(200)]
    replies = [any_node.replies.receive() for _ in ids]
    assert sorted(reply["id"] for reply in replies) == ids
    assert all(reply["result"] == {"n": reply["id"] - 1} for reply in replies)
