"""Why would a fork of this process not be safe?

A forked child has one thread, whatever its parent had: a lock that another thread held stays locked
in it for ever. A CUDA context does not survive a fork, and a connection that two processes hold is
read by both and ended by neither. `docs/protocol.md` §9 is the norm.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A thread that was joined is still there for the time that the kernel takes to end it.
_THREAD_END_S = 0.05
_POLL_S = 0.001

# The first words of what a descriptor of /proc points to, and what such a descriptor is.
_SHARED_KINDS = (
    ("socket:", "an open connection"),
    ("pipe:", "an open pipe"),
    ("anon_inode:", "an open kernel object"),
    ("/dev/nvidia", "an open GPU"),
    ("/dev/kfd", "an open GPU"),
    ("/dev/dri/", "an open GPU"),
)


def open_descriptors() -> dict[int, str]:
    """Return what each open descriptor of this process points to.

    Returns
    -------
    dict of int to str
        As the kernel names it, e.g. ``socket:[4711]``.

    Raises
    ------
    OSError
        If this system does not tell.
    """
    found: dict[int, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            # The descriptor of the listing itself: closed by now.
            continue
    return found


def find_hazard(own: Mapping[int, str]) -> str | None:
    """Return why this process must not fork now.

    Parameters
    ----------
    own : mapping of int to str
        Descriptors that are known and harmless, with what they point to.

    Returns
    -------
    str or None
        What was found, for people; None if a fork is safe.
    """
    try:
        return _thread_hazard() or _cuda_hazard() or _descriptor_hazard(own)
    except OSError as error:
        return f"this system does not tell whether a fork is safe: {error}"


def _thread_hazard() -> str | None:
    deadline_s = time.monotonic() + _THREAD_END_S
    while (count := len(os.listdir("/proc/self/task"))) > 1:
        if time.monotonic() > deadline_s:
            return f"{count} threads: {', '.join(_thread_names())}"
        time.sleep(_POLL_S)
    return None


def _thread_names() -> list[str]:
    """Return the names that Python gave; a thread of a C library has the one of the kernel."""
    names = {
        thread.native_id: thread.name
        for thread in threading.enumerate()
        if thread.native_id is not None and thread is not threading.main_thread()
    }
    # Python does not tell the main thread's number anew after a fork; it is the process's.
    names[os.getpid()] = threading.main_thread().name
    for task in os.listdir("/proc/self/task"):
        if int(task) in names:
            continue
        try:
            with open(f"/proc/self/task/{task}/comm", encoding="utf-8") as file:
                names[int(task)] = f"{file.read().strip()} (of a library)"
        except OSError:
            continue
    return sorted(names.values())


def _cuda_hazard() -> str | None:
    # Only if somebody imported it: asking must not be what starts it.
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is not None and cuda.is_initialized():
        return "an initialised CUDA context"
    return None


def _descriptor_hazard(own: Mapping[int, str]) -> str | None:
    for number, target in sorted(open_descriptors().items()):
        # Compared by what it points to as well: a number is used again once it is closed.
        if own.get(number) == target:
            continue
        for beginning, what in _SHARED_KINDS:
            if target.startswith(beginning):
                return f"{what}: descriptor {number} ({target})"
    return None
