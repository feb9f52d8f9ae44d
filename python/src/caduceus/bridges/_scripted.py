"""What stands in a worker when its framework is mocked (`docs/ml.md` §6, layer 2)?

A bridge whose operations are answered by the test's own process: one connection for each question.
All else is a worker's: its lanes, its loop, its values and its death. And it misbehaves when it is
told to, since that is what this layer is for.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus._frames import encode_frame, encode_json, encode_message
from caduceus._lanes import Lane
from caduceus._link import CallCancelled
from caduceus._values import decode_value, encode_value
from caduceus.base_bridge import BaseBridge

if TYPE_CHECKING:
    from collections.abc import Generator

    from caduceus._context import CallContext

VARIABLE = "CADUCEUS_MOCKS"
"""JSON: ``socket``, a path, ``bridge``, its name, and ``concurrency``, calls at a time."""

CONNECT_TIMEOUT_S = 10.0
"""How long the test's own process may take to accept: as long as a runtime may."""

EXIT_STATUS = 1
_GARBAGE = b"\xffthis is no frame\xff" * 8
_FOREVER_S = 3_600.0
_MS_PER_S = 1000


class Question:
    """One question to the test's process, and its answer.

    Parameters
    ----------
    path : str
        The socket.
    """

    def __init__(self, path: str) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.settimeout(CONNECT_TIMEOUT_S)
        self._connection.connect(path)
        self._connection.settimeout(None)
        self._lane = Lane(self._connection)

    def ask(self, parts: Any) -> dict[str, Any]:  # noqa: ANN401 - a frame, or its parts
        """Send a message, and wait for the next one.

        Parameters
        ----------
        parts : bytes, or list of bytes or memoryview
            A frame.

        Returns
        -------
        dict
            The answer; its ``value``, if it has one, is decoded.

        Raises
        ------
        BridgeError
            With code ``unavailable``, when the other side has hung up.
        """
        self._lane.send(parts)
        received = self._lane.receive()
        if received is None:
            raise BridgeError("the test's process has hung up", code="unavailable")
        answer, segments = received
        if "value" in answer:
            is_tagged = answer.get("tagged") is True
            answer["value"] = decode_value(answer["value"], is_tagged, segments)
        return answer

    def interrupt(self) -> None:
        """End a wait in another thread."""
        self._lane.stop_receiving()

    def close(self) -> None:
        """Hang up: what was not read is not wanted."""
        self._connection.close()


class ScriptedBridge(BaseBridge):
    """A bridge whose operations are mocks of the test's own process.

    Parameters
    ----------
    mode, worker_id
        As for `BaseBridge`.
    """

    def __init__(self, mode: str = "standalone", worker_id: str | None = None) -> None:
        place = json.loads(os.environ[VARIABLE])
        self._path: str = place["socket"]
        self._name: str = place["bridge"]
        self._incarnation = os.environ.get("CADUCEUS_INCARNATION", str(os.getpid()))
        self.concurrency = place["concurrency"]
        # Several at a time wait for their answers, each in a thread of its own.
        self.execution = "sync" if self.concurrency == 1 else "threads"
        self._started: dict[str, Any] = {}
        super().__init__(mode, worker_id)

    def _register_handlers(self) -> None:
        question = Question(self._path)
        try:
            self._started = question.ask(encode_frame({"type": "start", "bridge": self._name}))
        finally:
            question.close()
        misbehaviour = self._started.get("misbehave")
        if misbehaviour is not None:
            os._exit(misbehaviour.get("status", EXIT_STATUS))
        for op in self._started["operations"]:
            self._handlers[op] = partial(self._serve, op)

    def _initialize_framework(self) -> None:
        """There is none."""

    def get_framework_info(self) -> dict[str, Any]:
        """Describe what the mocks stand for.

        Returns
        -------
        dict
            ``name``, ``version`` and ``capabilities``.
        """
        return cast("dict[str, Any]", self._started["framework"])

    def operation_schemas(self) -> dict[str, Any]:
        """Say which operations yield.

        Returns
        -------
        dict
            ``{"stream": True}`` for each.
        """
        return cast("dict[str, Any]", self._started["schemas"])

    def _serve(self, op: str, args: dict[str, Any]) -> object:
        call = current_call()
        if call is None:
            raise BridgeError("a mock answers calls of a runtime only", code="unavailable")
        question = Question(self._path)
        call._add_waker(question.interrupt)
        answer: dict[str, Any] = {}
        try:
            answer = question.ask(self._asked(op, args, call))
            if "misbehave" in answer:
                _misbehave(answer["misbehave"], call, answer.get("value"))
            return _result_of(answer, question, call)
        except BridgeError:
            # Also that it was hung up on because the call was cancelled.
            call.raise_if_cancelled()
            raise
        finally:
            if answer.get("type") != "items":
                call._remove_waker(question.interrupt)
                question.close()

    def _asked(self, op: str, args: dict[str, Any], call: CallContext) -> object:
        header = {"type": "ask", "bridge": self._name, "op": op, "session": call.session_id}
        header["incarnation"] = self._incarnation
        head = encode_json(header)[:-1]
        return encode_message(head, "args", encode_value(args, "args"))


def _result_of(answer: dict[str, Any], question: Question, call: CallContext) -> object:
    kind = answer["type"]
    if kind == "items":
        return _items(question, call)
    if kind == "failed":
        raise _error_of(answer["error"])
    return answer["value"]


def _items(question: Question, call: CallContext) -> Generator[object, None, None]:
    try:
        while True:
            answer = question.ask(encode_frame({"type": "next"}))
            if answer["type"] == "end":
                return
            if answer["type"] == "failed":
                raise _error_of(answer["error"])
            yield answer["value"]
    except BridgeError:
        call.raise_if_cancelled()
        raise
    finally:
        call._remove_waker(question.interrupt)
        question.close()


def _error_of(described: dict[str, Any]) -> BridgeError:
    """Return what the mock threw, under its own name."""
    kind = type(described["type"], (BridgeError,), {})
    return cast("BridgeError", kind(described["message"], code=described["code"]))


def _misbehave(what: dict[str, Any], call: CallContext, value: object) -> None:
    kind = what["type"]
    if kind == "late":
        _sleep_deaf(what["ms"] / _MS_PER_S)
    elif kind == "hang":
        _sleep_deaf(_FOREVER_S)
    elif kind == "exit":
        os._exit(what.get("status", EXIT_STATUS))
    elif kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "half_frame":
        _break_wire(call, value)
    elif kind == "garbage":
        _outbox_of(call).send([_GARBAGE])
        # Whoever reads that has this process killed.
        _sleep_deaf(_FOREVER_S)
    elif kind == "ignore_sigterm":
        _ignore_sigterm()
    else:
        raise BridgeError(f"unknown misbehaviour {kind!r}", code="invalid_arguments")


def _sleep_deaf(duration_s: float) -> None:
    """Sleep through whatever is raised here to end it."""
    end_s = time.monotonic() + duration_s
    while True:
        try:
            time.sleep(max(0.0, end_s - time.monotonic()))
        except (CallCancelled, KeyboardInterrupt):
            continue
        return


def _break_wire(call: CallContext, value: object) -> NoReturn:
    outbox = _outbox_of(call)
    frame = b"".join(outbox.reply(call, value))
    outbox.send([frame[: len(frame) // 2]])
    os._exit(EXIT_STATUS)


def _outbox_of(call: CallContext) -> Any:  # noqa: ANN401 - the worker's own, which no bridge has
    return cast("Any", call._link)._outbox


def _ignore_sigterm() -> None:
    """Stay, whoever asks: only SIGKILL is left."""
    if threading.current_thread() is not threading.main_thread():
        raise BridgeError(
            "ignore_sigterm needs a pool with concurrency 1: Python sets signals up in its main "
            "thread only",
            code="invalid_arguments",
        )
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # At its end the interpreter waits for a thread that is no daemon.
    threading.Thread(target=_stay, name="caduceus-stays").start()


def _stay() -> None:
    while not sys.is_finalizing():
        time.sleep(_FOREVER_S)
