"""How does a worker process live, from its first connection to its exit status?

Connect, introduce, build the bridge, then serve its calls. `docs/protocol.md` is the norm.

Exit status: 0 after a shutdown, 1 if the process could not become a worker or its bridge could not
be built, 2 if Node refused it. A handler that raises SystemExit ends the process with that status,
without a reply: that is what the exception means. Any other exception of a handler is an error
reply and nothing more.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from caduceus import _logs
from caduceus._calls import CallTable
from caduceus._control import Control
from caduceus._errors import error_object
from caduceus._interrupts import InterruptGate
from caduceus._lanes import Invitation, Lanes, StartError, open_lanes, take_invitation
from caduceus._limits import apply_limits
from caduceus._loader import BridgeSpec, build_bridge
from caduceus._modes import execution_of, serve_calls
from caduceus._parent import die_with_parent
from caduceus._ready import ready_message
from caduceus._version import PROTOCOL_VERSION, __version__, is_spoken

if TYPE_CHECKING:
    from caduceus._modes import Execution
    from caduceus.base_bridge import BaseBridge

ANSWER_TIMEOUT_S = 60.0
"""How long Node may take to answer ``hello``: as long as it gives a worker to start."""

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_REFUSED = 2


def main() -> NoReturn:
    """Be a worker until Node, the bridge or a fault ends it. Never returns before that.

    Raises
    ------
    SystemExit
        With the exit status; see the top of this file.
    """
    try:
        invitation = take_invitation(os.environ)
    except StartError as error:
        sys.exit(f"caduceus: {error}")
    if invitation.parent_pid is not None:
        die_with_parent(invitation.parent_pid)
    serve(invitation)


def serve(invitation: Invitation) -> NoReturn:
    """Be the worker that `invitation` asks for; also in a process that was forked for it.

    Parameters
    ----------
    invitation : Invitation
        From `take_invitation`.

    Raises
    ------
    SystemExit
        As for `main`.
    """
    try:
        lanes = open_lanes(invitation)
    except StartError as error:
        sys.exit(f"caduceus: {error}")
    _enable_dumps()
    gate, table = InterruptGate(), CallTable()
    gate.install()
    control = Control(lanes, gate, table)
    control.start()
    control.send(hello())
    welcome = _await_welcome(control)
    _prepare(welcome, lanes)
    bridge, name, execution = _build(welcome, control)
    if not table.is_stopping:
        # Again: a framework may have taken SIGINT for itself when it was imported.
        gate.install()
        control.may_raise = execution.mode != "threads"
        try:
            serve_calls(lanes, gate, table, bridge, name, execution)
        except OSError as error:
            sys.exit(f"caduceus: a lane is broken: {error}")
    sys.exit(EXIT_DONE)


def _enable_dumps() -> None:
    """Have the stacks of all threads written to the stderr lane: at a crash, and when asked for.

    The descriptor, because it stays when user code replaces `sys.stderr`. In C, so that it works
    while one thread holds the interpreter lock.
    """
    faulthandler.enable(file=2)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True, chain=False)


def hello() -> dict[str, Any]:
    """Return the message with which a process of this package introduces itself.

    Returns
    -------
    dict
        The ``hello`` of `docs/protocol.md` §3.
    """
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
    protocol = answer.get("protocol")
    if not is_spoken(protocol):
        print(
            f"caduceus: protocol {protocol} is not spoken here, {PROTOCOL_VERSION} is",
            file=sys.stderr,
        )
        sys.exit(EXIT_REFUSED)
    return answer


def _prepare(welcome: dict[str, Any], lanes: Lanes) -> None:
    """Set what must be in place before the first line of user code."""
    frame_bytes_max = welcome.get("frameBytesMax")
    if isinstance(frame_bytes_max, int):
        lanes.calls.decoder.frame_bytes_max = frame_bytes_max
        lanes.control.decoder.frame_bytes_max = frame_bytes_max
    scratch_folder = welcome.get("scratchDir")
    if isinstance(scratch_folder, str):
        os.environ["CADUCEUS_SCRATCH_DIR"] = scratch_folder


def _build(welcome: dict[str, Any], control: Control) -> tuple[BaseBridge, str, Execution]:
    try:
        apply_limits(welcome.get("limits"))
        _logs.install(control.send)
        spec = BridgeSpec.from_message(welcome.get("bridge") or {})
        bridge = build_bridge(
            spec, mode=welcome.get("mode", "pool-worker"), worker_id=welcome.get("workerId")
        )
        execution = execution_of(bridge, welcome.get("concurrency"))
        ready = ready_message(bridge, spec, execution)
    except BaseException as error:
        # Also SystemExit: a module that calls sys.exit when imported is not a bridge.
        control.send({"type": "failed", "error": error_object(error)})
        sys.exit(EXIT_FAILED)
    control.send(ready)
    return bridge, ready["bridge"], execution
