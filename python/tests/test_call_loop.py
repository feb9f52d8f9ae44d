"""Does an interrupt ever hit anything but the handler of a cancelled call?"""

from __future__ import annotations

import random
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BaseBridge, _context, current_call
from caduceus._calls import CallTable
from caduceus._frames import encode_frame
from caduceus._interrupts import RAISE_SIGNAL, InterruptGate
from caduceus._lanes import Lane, Lanes
from caduceus._modes import Execution, serve_calls
from fake_node import FramedSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

CALLS = 3_000


class Short(BaseBridge):
    """Handlers that take about as long as it takes to stop them."""

    def _register_handlers(self) -> None:
        self.aim: Callable[[], object] = int
        self._handlers["loop"] = self._loop
        self._handlers["tell"] = self._tell
        self._handlers["catch"] = self._catch

    def _initialize_framework(self) -> None:
        self.chance = random.Random(1)

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "short", "version": "1", "capabilities": []}

    def handle_command(self, command: str, args: dict[str, Any]) -> object:
        self.aim()
        return super().handle_command(command, args)

    def _loop(self, _args: dict[str, Any]) -> object:
        for _ in range(self.chance.randrange(6_000)):
            pass
        return "done"

    def _tell(self, _args: dict[str, Any]) -> object:
        call = current_call()
        assert call is not None
        for number in range(self.chance.randrange(20)):
            call.progress(number)
        return "done"

    def _catch(self, _args: dict[str, Any]) -> object:
        try:
            return self._loop({})
        except BaseException:
            return "caught"


@pytest.fixture
def gate() -> Iterator[InterruptGate]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, RAISE_SIGNAL)}
    made = InterruptGate()
    made.install()
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


class Hunter:
    """Cancels every other call at a random moment: before, in or after its handler.

    A timer's signal is what gets at the main thread at any moment; another thread would mostly be
    late. What the control thread does is done in its handler, unless that would wait for a lock
    that the interrupted code holds.
    """

    def __init__(self, gate: InterruptGate, table: CallTable) -> None:
        self.hunted: set[int] = set()
        self._gate = gate
        self._table = table
        self._chance = random.Random(2)
        self._target = 0

    def aim(self) -> None:
        call = current_call()
        assert call is not None
        self._target = call.call_id
        if call.call_id % 2 == 0:
            signal.setitimer(signal.ITIMER_REAL, self._chance.uniform(1e-6, 100e-6))

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGALRM, self._shoot)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _shoot(self, _number: int, _frame: object) -> None:
        # Late, and so it hits nobody: also that has to be harmless.
        self._gate.ask_main_thread()
        if self._table._lock.locked() or _context._cancel_lock.locked():
            return
        if self._table.cancel(self._target, is_raise_wanted=True):
            self.hunted.add(self._target)
        self._gate.ask_main_thread()
        if self._chance.randrange(4) == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("op", ["loop", "tell", "catch"])
def test_only_the_handler_of_a_cancelled_call_is_stopped(gate: InterruptGate, op: str) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    lanes = Lanes(*(Lane(ours) for ours, _ in pairs))
    table = CallTable()
    calls, replies = FramedSocket(pairs[1][1]), FramedSocket(pairs[2][1])
    answers: dict[int, dict[str, Any]] = {}
    frames = [
        encode_frame({"type": "call", "id": number, "op": op, "args": {}, "session": None})
        for number in range(1, CALLS + 1)
    ]

    def write() -> None:
        for frame in frames:
            calls.send_bytes(frame)
        calls.connection.shutdown(socket.SHUT_WR)

    def read() -> None:
        while len(answers) < CALLS:
            message = replies.receive()
            if message["type"] == "reply":
                assert message["id"] not in answers
                answers[message["id"]] = message

    threads = [threading.Thread(target=write), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    bridge = Short()
    with Hunter(gate, table) as hunter:
        bridge.aim = hunter.aim
        serve_calls(lanes, gate, table, bridge, "short", Execution("sync", 1))
    for thread in threads:
        thread.join(20)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
    assert sorted(answers) == list(range(1, CALLS + 1))
    stopped = [number for number, answer in answers.items() if not answer["ok"]]
    assert set(stopped) <= hunter.hunted
    assert {answers[number]["error"]["code"] for number in stopped} <= {"cancelled"}
    assert (gate.running, gate.shields) == (None, 0)
    caught = [answer for answer in answers.values() if answer.get("result") == "caught"]
    # Else the hunter was always too late, or never, and nothing has been tested.
    assert CALLS / 100 < len(caught) + len(stopped) < CALLS
