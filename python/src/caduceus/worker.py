"""How does a worker process live, from its first connection to its exit status?

Connect, introduce, build the bridge, then one call after the other. `docs/protocol.md` is the norm.

Exit status: 0 after a shutdown, 1 if the process could not become a worker or its bridge could not
be built, 2 if Node refused it. A handler that raises SystemExit ends the process with that status,
without a reply: that is what the exception means. Any other exception of a handler is an error
reply and nothing more.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from caduceus import _logs
from caduceus._context import CallContext, entered
from caduceus._control import Control, end_for_protocol_error
from caduceus._errors import BridgeError, error_object
from caduceus._frames import FrameError, encode_frame, encode_json, frame_from_json
from caduceus._interrupts import InterruptGate
from caduceus._lanes import Lanes, StartError, open_lanes, take_invitation
from caduceus._loader import BridgeSpec, build_bridge
from caduceus._values import encode_value
from caduceus._version import PROTOCOL_VERSION, __version__

if TYPE_CHECKING:
    from caduceus.base_bridge import BaseBridge

ANSWER_TIMEOUT_S = 60.0
"""How long Node may take to answer ``hello``: as long as it gives a worker to start."""

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_REFUSED = 2

_BRIEF_CHARACTERS_MAX = 1_000
_LENGTHS_BYTES = 8


def main() -> None:
    """Be a worker until Node, the bridge or a fault ends it. Never returns before that.

    Raises
    ------
    SystemExit
        With the exit status; see the top of this file.
    """
    try:
        lanes = open_lanes(take_invitation(os.environ))
    except StartError as error:
        sys.exit(f"caduceus: {error}")
    faulthandler.enable()
    gate = InterruptGate()
    gate.install()
    control = Control(lanes, gate)
    control.start()
    control.send(_hello())
    welcome = _await_welcome(control)
    _prepare(welcome, lanes, control)
    bridge = _build(welcome, control)
    if not control.is_stopping:
        _CallLoop(lanes, control, gate, bridge).run()
    sys.exit(EXIT_DONE)


def _hello() -> dict[str, Any]:
    is_gil_enabled = getattr(sys, "_is_gil_enabled", None)
    return {
        "type": "hello",
        "protocol": PROTOCOL_VERSION,
        "packageVersion": __version__,
        "python": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "pid": os.getpid(),
        "gil": "enabled" if is_gil_enabled is None or is_gil_enabled() else "disabled",
    }


def _await_welcome(control: Control) -> dict[str, Any]:
    answer = control.wait_for_answer(ANSWER_TIMEOUT_S)
    if answer is None:
        sys.exit(f"caduceus: no answer to hello within {ANSWER_TIMEOUT_S:.0f} s")
    if answer["type"] == "refuse":
        print(f"caduceus: refused: {answer.get('reason')}", file=sys.stderr)
        sys.exit(EXIT_REFUSED)
    protocol = str(answer.get("protocol"))
    if protocol.partition(".")[0] != PROTOCOL_VERSION.partition(".")[0]:
        print(f"caduceus: protocol {protocol}, {PROTOCOL_VERSION} spoken here", file=sys.stderr)
        sys.exit(EXIT_REFUSED)
    return answer


def _prepare(welcome: dict[str, Any], lanes: Lanes, control: Control) -> None:
    """Set what must be in place before the first line of user code."""
    frame_bytes_max = welcome.get("frameBytesMax")
    if isinstance(frame_bytes_max, int):
        lanes.calls.decoder.frame_bytes_max = frame_bytes_max
        lanes.control.decoder.frame_bytes_max = frame_bytes_max
    scratch_folder = welcome.get("scratchDir")
    if isinstance(scratch_folder, str):
        os.environ["CADUCEUS_SCRATCH_DIR"] = scratch_folder
    _logs.install(control.send)


def _build(welcome: dict[str, Any], control: Control) -> BaseBridge:
    try:
        spec = BridgeSpec.from_message(welcome.get("bridge") or {})
        bridge = build_bridge(
            spec, mode=welcome.get("mode", "pool-worker"), worker_id=welcome.get("workerId")
        )
        framework = bridge.get_framework_info()
        encode_value(framework, "framework")
        _check_framework(framework)
        name = spec.framework or str(framework.get("name") or spec.name)
        operations = bridge.supported_operations()
    except BaseException as error:
        # Also SystemExit: a module that calls sys.exit when imported is not a bridge.
        control.send({"type": "failed", "error": error_object(error)})
        sys.exit(EXIT_FAILED)
    control.send(
        {"type": "ready", "bridge": name, "framework": framework, "operations": operations}
    )
    return bridge


def _check_framework(framework: dict[str, Any]) -> None:
    """Say in the bridge's own words what Node would else find in the frame."""
    for field, kind in (("name", str), ("version", str), ("capabilities", list)):
        if not isinstance(framework.get(field), kind):
            raise BridgeError(
                f"get_framework_info must give {field!r} as a {kind.__name__}, "
                f"found {framework.get(field)!r:.100}",
                code="invalid_arguments",
            )


class _CallLoop:
    """Read a call, run it, answer it. Everything here is paid for by every call."""

    def __init__(
        self, lanes: Lanes, control: Control, gate: InterruptGate, bridge: BaseBridge
    ) -> None:
        self._lanes = lanes
        self._control = control
        self._gate = gate
        self._bridge = bridge
        self._frame_bytes_max = lanes.calls.decoder.frame_bytes_max
        self._pid = os.getpid()

    def run(self) -> None:
        """Serve until somebody wants the end."""
        try:
            while not self._control.is_stopping:
                message = self._lanes.calls.receive()
                # A shutdown that arrived while this thread waited comes first.
                if message is None or self._control.is_stopping:
                    return
                frame = self._answer(message)
                if os.getpid() != self._pid:
                    # A handler forked and its child came back here. The call is the parent's to
                    # answer.
                    os._exit(EXIT_FAILED)
                self._lanes.replies.send(frame)
                if self._bridge.shutdown_requested:
                    return
        except FrameError as error:
            end_for_protocol_error(f"{error} (calls lane)")
        except OSError as error:
            sys.exit(f"caduceus: a lane is broken: {error}")

    def _answer(self, message: dict[str, Any]) -> bytes:
        call = _read_call(message)
        gate = self._gate
        try:
            with entered(call):
                try:
                    gate.is_open = True
                    result = self._bridge.handle_command(call.op, message.get("args", {}))
                finally:
                    gate.is_open = False
            # Spliced, not encoded again inside the reply: the result may be large.
            text = encode_value(result)
            frame = frame_from_json(
                f'{{"type":"reply","id":{call.call_id},"ok":true,"result":{text}}}'
            )
            self._check_length(frame, "result")
        except SystemExit:
            raise
        except BaseException as error:
            # KeyboardInterrupt, and what asyncio or a Rust extension raises outside of Exception:
            # one failed call.
            frame = self._error_frame(call.call_id, error)
        return frame

    def _error_frame(self, call_id: int, error: BaseException) -> bytes:
        described = error_object(error)
        frame = encode_frame({"type": "reply", "id": call_id, "ok": False, "error": described})
        if len(frame) - _LENGTHS_BYTES > self._frame_bytes_max:
            # A small frame limit and a long chain of causes: the essence fits always.
            described = {
                "type": described["type"][:_BRIEF_CHARACTERS_MAX],
                "message": described["message"][:_BRIEF_CHARACTERS_MAX],
                "traceback": "",
                "code": described["code"],
            }
            frame = encode_frame({"type": "reply", "id": call_id, "ok": False, "error": described})
        return frame

    def _check_length(self, frame: bytes, what: str) -> None:
        body_bytes = len(frame) - _LENGTHS_BYTES
        if body_bytes > self._frame_bytes_max:
            raise BridgeError(
                f"{what}: {body_bytes} bytes as JSON, more than the frame limit of "
                f"{self._frame_bytes_max}",
                code="unencodable",
            )


def _read_call(message: dict[str, Any]) -> CallContext:
    kind, call_id, op = message.get("type"), message.get("id"), message.get("op")
    session_id, deadline_ms = message.get("session"), message.get("deadlineMs")
    if kind != "call":
        raise FrameError(f"unknown message type {kind!r}")
    if type(call_id) is not int or not isinstance(op, str):
        raise FrameError(f"a call without a usable id or op: {encode_json([call_id, op])[:200]}")
    if session_id is not None and not isinstance(session_id, str):
        raise FrameError(f"call {call_id}: session must be a string or null")
    if isinstance(deadline_ms, (int, float)):
        return CallContext(call_id, session_id, op, time.monotonic() + deadline_ms / 1000)
    return CallContext(call_id, session_id, op)
