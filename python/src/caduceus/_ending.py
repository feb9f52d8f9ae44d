"""How does a worker end itself when it must not go on?"""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def kill_own_group() -> NoReturn:
    """End this process at once, and with it everything that it has started.

    Without its own process group only the process ends: the group would be somebody else's.
    """
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def end_for_protocol_error(finding: str) -> NoReturn:
    """Say what was wrong on the stderr lane, then end the process and its group.

    Parameters
    ----------
    finding : str
        What was found, and on which lane.
    """
    # The descriptor, not sys.stderr: user code may have replaced that, or hold its lock.
    try:
        os.write(2, f"caduceus: protocol error: {finding}\n".encode(errors="backslashreplace"))
    except OSError:
        # Nobody reads any more; there is nobody left to tell.
        kill_own_group()
    kill_own_group()
