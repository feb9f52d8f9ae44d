"""Does this process outlive the one that started it?

It must not. `docs/protocol.md` §8 is the norm: the kernel is asked for SIGKILL at the death of the
parent, and then the parent is looked at, because it may have died before the kernel was asked.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

EXIT_ORPHANED = 1

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Tie the life of this process to that of its parent; an orphan ends here.

    Parameters
    ----------
    parent_pid : int
        The process that must be the parent. 0 means: whoever is it now, for a process that was
        forked by one that cannot have died yet.
    """
    expected = parent_pid or os.getppid()
    if sys.platform == "linux" and not _ask_kernel():
        # Not a reason to refuse: the guardian and the end of the control lane remain.
        os.write(2, b"caduceus: the kernel does not end this process with its parent\n")
    if os.getppid() != expected:
        os._exit(EXIT_ORPHANED)


def _ask_kernel() -> bool:
    try:
        return _prctl_without_ctypes() or _prctl_with_ctypes()
    except (ImportError, OSError, AttributeError):
        return False


def _prctl_without_ctypes() -> bool:
    """Call `prctl` through the extension module below ctypes: importing that costs 2 ms less."""
    try:
        import _ctypes

        # None is the process itself, which the annotations of this private module leave out.
        own: Any = None
        address = _ctypes.dlsym(_ctypes.dlopen(own, 0), "prctl")
        return bool(_ctypes.call_function(address, (_PR_SET_PDEATHSIG, int(signal.SIGKILL))) == 0)
    except (ImportError, OSError, AttributeError, TypeError):
        return False


def _prctl_with_ctypes() -> bool:
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return bool(prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)) == 0)
