"""Does the bridge of mocks ask, pass on what it hears, and misbehave as it is told?"""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from caduceus._context import CallContext, entered
from caduceus._errors import BridgeError
from caduceus._frames import FrameDecoder, encode_frame
from caduceus._link import CallCancelled
from caduceus.bridges._scripted import VARIABLE, ScriptedBridge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answer = Callable[[dict[str, Any]], "dict[str, Any] | None"]

STARTED = {
    "type": "started",
    "framework": {"name": "words", "version": "mock", "capabilities": []},
    "operations": ["count", "each"],
    "schemas": {"each": {"stream": True}},
}
DEADLINE_S = 10.0


class Asked:
    """The test's process: answers each message of each connection by a function.

    Attributes
    ----------
    messages : list of dict
        What was asked.
    """

    def __init__(self, path: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self.answer: Answer = lambda message: STARTED if message["type"] == "start" else None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen()
        self.heard = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        decoder = FrameDecoder()
        while data := connection.recv(65_536):
            for message, _ in decoder.receive_bytes(data):
                self.messages.append(message)
                answer = self.answer(message)
                if message["type"] == "ask":
                    self.heard.set()
                if answer is not None:
                    connection.sendall(encode_frame(answer))
        connection.close()


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    path = str(tmp_path / "s")
    place = {"socket": path, "bridge": "words", "concurrency": 1}
    monkeypatch.setenv(VARIABLE, json.dumps(place))
    monkeypatch.setenv("CADUCEUS_INCARNATION", "run/words/0/1/1")
    process = Asked(path)
    yield process
    process.close()


def run(bridge: ScriptedBridge, op: str, args: dict[str, Any]) -> object:
    with entered(CallContext(1, "ada", op)):
        result = bridge.handle_command(op, args)
        return list(result) if hasattr(result, "__next__") else result  # type: ignore[call-overload]


def answers(*replies: dict[str, Any]) -> Answer:
    waiting = [STARTED, *replies]
    return lambda _message: waiting.pop(0)


def test_says_of_itself_what_it_was_told(asked: Asked) -> None:
    bridge = ScriptedBridge("pool-worker", "words/0")
    assert bridge.get_framework_info() == STARTED["framework"]
    assert bridge.operation_schemas() == STARTED["schemas"]
    assert {"ping", "count", "each"} <= set(bridge.supported_operations())
    assert asked.messages == [{"type": "start", "bridge": "words"}]


def test_asks_with_whom_it_works_for(asked: Asked) -> None:
    asked.answer = answers({"type": "value", "value": 3})
    assert run(ScriptedBridge(), "count", {"text": "a b c"}) == 3
    assert asked.messages[1] == {
        "type": "ask",
        "bridge": "words",
        "op": "count",
        "session": "ada",
        "incarnation": "run/words/0/1/1",
        "args": {"text": "a b c"},
    }


def test_reads_items_one_by_one(asked: Asked) -> None:
    items = [{"type": "item", "value": value} for value in ("a", "b")]
    asked.answer = answers({"type": "items"}, *items, {"type": "end"})
    assert run(ScriptedBridge(), "each", {}) == ["a", "b"]
    assert [message["type"] for message in asked.messages] == ["start", "ask", *["next"] * 3]


@pytest.mark.parametrize("first", [[], [{"type": "items"}]])
def test_raises_what_the_mock_threw_under_its_own_name(
    asked: Asked, first: list[dict[str, Any]]
) -> None:
    error = {"type": "RateLimitError", "message": "slow down", "code": "rate_limited"}
    asked.answer = answers(*first, {"type": "failed", "error": error})
    with pytest.raises(BridgeError, match="slow down") as caught:
        run(ScriptedBridge(), "each", {})
    assert (type(caught.value).__name__, caught.value.code) == ("RateLimitError", "rate_limited")


def test_stops_asking_when_its_call_is_cancelled(asked: Asked) -> None:
    bridge = ScriptedBridge()
    call = CallContext(1, None, "count")
    caught: list[BaseException] = []

    def work() -> None:
        with entered(call):
            try:
                bridge.handle_command("count", {})
            except BaseException as error:
                caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert asked.heard.wait(DEADLINE_S)
    call._cancel(is_raise_wanted=False)
    thread.join(DEADLINE_S)
    assert [type(error) for error in caught] == [CallCancelled]


def test_answers_late_whatever_it_is_told(asked: Asked) -> None:
    late = {"type": "value", "value": 1, "misbehave": {"type": "late", "ms": 1}}
    asked.answer = answers(late)
    assert run(ScriptedBridge(), "count", {}) == 1


def test_refuses_a_misbehaviour_that_it_does_not_know(asked: Asked) -> None:
    asked.answer = answers({"type": "value", "value": 1, "misbehave": {"type": "dance"}})
    with pytest.raises(BridgeError, match="dance"):
        run(ScriptedBridge(), "count", {})


def test_answers_several_calls_in_threads(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (ScriptedBridge().execution, ScriptedBridge().concurrency) == ("sync", 1)
    place = {"socket": asked._listener.getsockname(), "bridge": "words", "concurrency": 4}
    monkeypatch.setenv(VARIABLE, json.dumps(place))
    bridge = ScriptedBridge()
    assert (bridge.execution, bridge.concurrency) == ("threads", 4)


def test_serves_calls_of_a_runtime_only(asked: Asked) -> None:
    with pytest.raises(BridgeError, match="of a runtime only"):
        ScriptedBridge().handle_command("count", {})
