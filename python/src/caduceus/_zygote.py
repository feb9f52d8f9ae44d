"""How does a process that has imported a framework give birth to workers?

It imports, says whether a fork is safe, and forks on demand, which takes milliseconds where an
import takes seconds; the children share its memory. It never computes, starts no thread, and serves
everything from one loop. `docs/protocol.md` §9 is the norm.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import sys
import time
from typing import Any, NoReturn

from caduceus._errors import error_object
from caduceus._fork_safety import find_hazard, open_descriptors
from caduceus._forked import Birth, live_as_worker, remember_signals, restore_signals
from caduceus._frames import FrameError, encode_frame
from caduceus._lanes import Lane, StartError, connect, take_invitation
from caduceus._packages import find_missing
from caduceus._parent import die_with_parent
from caduceus._threads import SINGLE_THREADED, Library, find_libraries
from caduceus.worker import EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, hello

ANSWER_TIMEOUT_MS = 60_000
"""How long Node may take to answer ``hello``: as long as it gives a worker to start."""

BIRTH_TIMEOUT_MS = 1_500
"""How long a child may take to its own session: microseconds, unless a fork handler of a library
hangs. Shorter than Node waits for the answer to ``fork``."""

_READ_BYTES = 64 * 1024
_MS_PER_S = 1_000


def main() -> NoReturn:
    """Be a zygote until Node is gone or asks for the end. Returns in no process.

    Raises
    ------
    SystemExit
        With the exit status: 0 at the end of the lane, 1 if something could not be done, 2 if Node
        refused; in a forked child the worker's.
    """
    gc.disable()
    os.environ.update(SINGLE_THREADED)
    # What was open before anything of ours: a worker that is started alone inherits it just so.
    own = open_descriptors()
    handlers = remember_signals()
    try:
        invitation = take_invitation(os.environ)
        if invitation.parent_pid is not None:
            die_with_parent(invitation.parent_pid)
        lane = Lane(connect(invitation, "zygote"))
    except StartError as error:
        sys.exit(f"caduceus: {error}")
    try:
        zygote = _Zygote(lane, own, handlers)
        zygote.prepare()
        birth = zygote.serve()
    except FrameError as error:
        sys.exit(f"caduceus: protocol error: {error} (zygote lane)")
    except OSError as error:
        sys.exit(f"caduceus: the zygote lane is broken: {error}")
    if birth is None:
        sys.exit(EXIT_DONE)
    live_as_worker(birth)


class _Zygote:
    """One zygote: its lane, its children, and what it must not share with them."""

    def __init__(self, lane: Lane, inherited: dict[int, str], handlers: dict[int, Any]) -> None:
        self._lane = lane
        self._handlers = handlers
        self._pid = os.getpid()
        self._children: set[int] = set()
        self._libraries: list[Library] = []
        self._wakeup, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, _wake)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        now = open_descriptors()
        mine = {number: now[number] for number in (lane.fileno(), self._wakeup, self._woken)}
        self._own = {**inherited, **mine}

    def prepare(self) -> None:
        """Introduce itself, import what ``welcome`` says, and tell whether forks are safe."""
        self._say(hello())
        welcome = self._await_welcome()
        started_s = time.monotonic()
        try:
            for name in welcome.get("preload", ()):
                _preload(name)
            # What is missing is a worker's own failure; what is found is looked for once.
            find_missing(welcome.get("packages", ()))
        except BaseException as error:
            # Also SystemExit: a module that calls sys.exit when it is imported has failed.
            self._say({"type": "failed", "error": error_object(error)})
            sys.exit(EXIT_FAILED)
        import_ms = (time.monotonic() - started_s) * _MS_PER_S
        self._libraries = find_libraries()
        # A child's collector never looks at what is frozen: it would write to it, and so copy it.
        gc.collect()
        gc.freeze()
        self._say(
            {
                "type": "ready",
                "modules": len(sys.modules),
                "importMs": round(import_ms),
                "hazard": find_hazard(self._own),
            }
        )

    def serve(self) -> Birth | None:
        """Fork, reap and answer until the end of the lane.

        Returns
        -------
        Birth or None
            None in the zygote, at the end; in each forked child what it is to become.
        """
        poll = select.poll()
        poll.register(self._lane.fileno(), select.POLLIN)
        poll.register(self._wakeup, select.POLLIN)
        while True:
            for number, _ in poll.poll():
                if number == self._wakeup:
                    self._reap()
                    continue
                message = self._lane.receive()
                if message is None:
                    return None
                while message is not None:
                    birth = self._take(message[0])
                    if birth is not None:
                        return birth
                    message = self._lane.receive_nowait()

    def _await_welcome(self) -> dict[str, Any]:
        poll = select.poll()
        poll.register(self._lane.fileno(), select.POLLIN)
        if not poll.poll(ANSWER_TIMEOUT_MS):
            sys.exit(f"caduceus: no answer to hello within {ANSWER_TIMEOUT_MS} ms")
        message = self._lane.receive()
        if message is None:
            sys.exit("caduceus: Node left before it answered hello")
        answer = message[0]
        if answer.get("type") == "refuse":
            print(f"caduceus: refused: {answer.get('reason')}", file=sys.stderr)
            sys.exit(EXIT_REFUSED)
        if answer.get("type") != "welcome":
            raise FrameError(f"unknown message type {answer.get('type')!r}")
        return answer

    def _say(self, message: dict[str, Any]) -> None:
        self._lane.send(encode_frame(message))

    def _take(self, message: dict[str, Any]) -> Birth | None:
        match message.get("type"):
            case "ping":
                self._say({"type": "pong", "seq": message.get("seq")})
            case "fork":
                return self._fork(message)
            case unknown:
                raise FrameError(f"unknown message type {unknown!r}")
        return None

    def _fork(self, order: dict[str, Any]) -> Birth | None:
        env, cwd = order.get("env"), order.get("cwd")
        if not isinstance(env, dict) or not isinstance(cwd, str | None):
            raise FrameError("a fork without a usable env or cwd")
        hazard = find_hazard(self._own)
        if hazard is not None:
            self._refuse(order, hazard)
            return None
        # What waits in a buffer would be written twice.
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        born, birth = os.pipe2(os.O_CLOEXEC)
        try:
            pid = os.fork()
        except OSError as error:
            os.close(born)
            os.close(birth)
            self._refuse(order, f"fork: {error}")
            return None
        if pid == 0:
            os.close(born)
            self._leave(birth)
            return Birth(env, cwd, self._libraries)
        os.close(birth)
        self._announce(order, pid, born)
        return None

    def _leave(self, birth: int) -> None:
        """In the child: let go of everything that is the zygote's, then tell the zygote so."""
        restore_signals(self._handlers)
        # Before it leaves the zygote's group: at no time may it outlive a zygote that is killed.
        die_with_parent(self._pid)
        os.setsid()
        self._lane.close()
        os.close(self._wakeup)
        os.close(self._woken)
        os.write(birth, b"1")
        os.close(birth)

    def _announce(self, order: dict[str, Any], pid: int, born: int) -> None:
        """Say ``forked`` once the child leads its own session."""
        poll = select.poll()
        poll.register(born, select.POLLIN)
        is_heard = bool(poll.poll(BIRTH_TIMEOUT_MS))
        os.close(born)
        if not is_heard:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._refuse(order, f"the child was not up within {BIRTH_TIMEOUT_MS} ms")
            return
        # The end of the pipe without a word is the child's death: its status follows.
        self._children.add(pid)
        self._say({"type": "forked", "fork": order.get("fork"), "pid": pid})
        self._reap()

    def _refuse(self, order: dict[str, Any], hazard: str) -> None:
        self._say({"type": "refused", "fork": order.get("fork"), "hazard": hazard})

    def _reap(self) -> None:
        """Tell the ends of our own children. Others' (a preload's) are theirs to wait for."""
        # Nothing to read: asked without having been woken.
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, _READ_BYTES)
        for pid in tuple(self._children):
            found, how = os.waitpid(pid, os.WNOHANG)
            if found == 0:
                continue
            self._children.discard(pid)
            code = os.waitstatus_to_exitcode(how)
            end = (
                {"status": code, "signal": None} if code >= 0 else {"status": None, "signal": -code}
            )
            self._say({"type": "exited", "pid": pid, **end})


def _preload(name: str) -> None:
    """Import ``package.module``; of ``package.module:attribute`` the attribute is looked up too.

    Libraries that import lazily load what is behind a name when it is asked for.
    """
    module, _, attribute = name.partition(":")
    found: object = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part)


def _wake(_number: int, _frame: object) -> None:
    """Have the interpreter write to the wakeup descriptor: an ignored signal would not."""
