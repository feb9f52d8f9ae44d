"""How does a forked child of a zygote become a worker like any other?

Nothing of the zygote may be left in it that a freshly started process would not have: its
connection, its signal handlers, its environment, its random numbers, its single thread.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from caduceus._lanes import StartError, take_invitation
from caduceus._threads import restore_threads
from caduceus.worker import serve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caduceus._threads import Library

_SEED_BYTES = 8
_NUMPY_SEED_BYTES = 4
_ENV_START_FIELD = 47
"""Of `/proc/<pid>/stat`, counted from the state behind the name; the end is the next one."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What a forked child is to become.

    Attributes
    ----------
    env : mapping of str to str
        Its whole environment.
    cwd : str or None
        Its working directory; None keeps the zygote's.
    libraries : sequence of Library
        Those that compute with threads.
    """

    env: Mapping[str, str]
    cwd: str | None
    libraries: Sequence[Library]


def remember_signals() -> dict[int, Any]:
    """Return how signals are handled now, for `restore_signals`.

    Returns
    -------
    dict of int to handler
        Of the signals that Python knows the handling of.
    """
    handlers = {int(number): signal.getsignal(number) for number in signal.valid_signals()}
    return {number: handler for number, handler in handlers.items() if handler is not None}


def restore_signals(handlers: Mapping[int, Any]) -> None:
    """Handle signals as when `handlers` was taken; also what a preload has set since is undone.

    Parameters
    ----------
    handlers : mapping of int to handler
        From `remember_signals`.
    """
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def live_as_worker(birth: Birth) -> NoReturn:
    """Be the worker that was asked for, in a process that has left everything of the zygote.

    Parameters
    ----------
    birth : Birth
        From the order to fork.

    Raises
    ------
    SystemExit
        With the worker's exit status.
    """
    os.environ.clear()
    os.environ.update(birth.env)
    incarnation = os.environ.get("CADUCEUS_INCARNATION")
    if incarnation is not None:
        show_incarnation(incarnation)
    try:
        if birth.cwd is not None:
            os.chdir(birth.cwd)
        invitation = take_invitation(os.environ)
    except (OSError, StartError) as error:
        sys.exit(f"caduceus: {error}")
    gc.enable()
    reseed()
    for count in restore_threads(os.environ, birth.libraries):
        if count.found != count.wanted:
            print(
                f"caduceus: {count.library} computes with {count.found} threads, "
                f"{count.wanted} wanted",
                file=sys.stderr,
            )
    serve(invitation)


def show_incarnation(incarnation: str) -> bool:
    """Have the kernel show this incarnation in the environment of this process and its children.

    What it shows of a forked process is the zygote's, and a child that has left its session would
    be traced to no worker. The place of the zygote's own invitation is free: nobody reads it again.

    Parameters
    ----------
    incarnation : str
        The worker's ``CADUCEUS_INCARNATION``.

    Returns
    -------
    bool
        Whether it is shown now; not when the place is too small, or the kernel tells no place.
    """
    entry = os.fsencode(f"CADUCEUS_INCARNATION={incarnation}")
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        start, end = int(fields[_ENV_START_FIELD]), int(fields[_ENV_START_FIELD + 1])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(start)
            before, found, rest = memory.read(end - start).partition(b"\0CADUCEUS_WORKER=")
            place = len(found) - 1 + len(rest.partition(b"\0")[0])
            if not found or len(entry) > place:
                return False
            memory.seek(start + len(before) + 1)
            memory.write(entry.ljust(place, b"\0"))
    except (OSError, IndexError, ValueError):
        return False
    return True


def reseed() -> None:
    """Give the random number generators that everybody shares a fresh start.

    Siblings would else draw the same numbers: a copy of a process is a copy of its generators.
    """
    random.seed()
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed(int.from_bytes(os.urandom(_NUMPY_SEED_BYTES), "little"))
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(int.from_bytes(os.urandom(_SEED_BYTES), "little"))
