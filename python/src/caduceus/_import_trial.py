"""What does an import do to a process: does it work, how long does it take, may one fork after it?

Each trial has a process of its own, since an import may crash, hang, or leave threads behind.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, TypeVar

from caduceus._fork_safety import find_hazard, open_descriptors
from caduceus._parent import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

ERROR_CHARACTERS_MAX = 600
"""The longest text of an error: one line for a person."""

# An import shall ask nobody and leave nothing behind: some look for their newest data, or make a
# folder in the home of whoever imports them.
_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "true",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}

# An import that hangs for good is looked at again this often.
_POLL_S = 0.005
_MS_PER_S = 1_000
_START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_probe_start.py")


def try_import(modules: list[str], timeout_ms: int) -> dict[str, Any]:
    """Import modules in a fresh process, as a zygote would.

    Parameters
    ----------
    modules : list of str
        In this order.
    timeout_ms : int
        After it the process is killed.

    Returns
    -------
    dict
        ``error`` (a text, or None), ``importMs``, and after an import that worked ``threads``,
        ``hazard`` (why a fork would not be safe, or None) and ``memoryBytes``; each None where
        nobody can tell.
    """
    return _run_trial({"import": modules}, timeout_ms)


def try_find(module: str, timeout_ms: int) -> dict[str, Any]:
    """Look for a module without importing it, in a fresh process: its packages are imported.

    Parameters
    ----------
    module : str
        Its name.
    timeout_ms : int
        After it the process is killed.

    Returns
    -------
    dict
        ``error``: a text, or None if it is there.
    """
    return _run_trial({"find": module}, timeout_ms)


def run_child(order: dict[str, Any]) -> None:
    """Be the process of one trial. The answer goes to where stdout was.

    Parameters
    ----------
    order : dict
        With ``import`` or ``find``.
    """
    die_with_parent(order["parentPid"])
    # What an import prints is not the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    modules = order.get("import")
    found = _measured(modules) if modules is not None else _found(order["find"])
    os.write(answer, json.dumps(found).encode("utf-8"))
    # Without a farewell: threads of a library could make it wait for ever.
    os._exit(0)


def _run_trial(order: dict[str, Any], timeout_ms: int) -> dict[str, Any]:
    text = json.dumps({"trial": {**order, "parentPid": os.getpid()}})
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="caduceus-probe-"))
        folders = {"CADUCEUS_SCRATCH_DIR": scratch, "DSPY_CACHEDIR": scratch, "TMPDIR": scratch}
        answer = stack.enter_context(tempfile.TemporaryFile())
        errors = stack.enter_context(tempfile.TemporaryFile())
        # Files, not pipes: a grandchild may hold them open for as long as it likes.
        process = subprocess.Popen(
            [sys.executable, _START, text],
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, **_QUIET, **folders},
        )
        ended = _await_end(process, timeout_ms)
        answer.seek(0)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip()
        if not ended:
            return _failed(f"the import did not end within {timeout_ms} ms, and was killed")
        try:
            found = json.loads(answer.read())
        except ValueError:
            return _failed(_end_of(process.returncode, said))
        return found if isinstance(found, dict) else _failed("the trial gave no answer")


def _await_end(process: subprocess.Popen[bytes], timeout_ms: int) -> bool:
    deadline_s = time.monotonic() + timeout_ms / _MS_PER_S
    ended = True
    try:
        while process.poll() is None:
            if time.monotonic() > deadline_s:
                ended = False
                break
            time.sleep(_POLL_S)
    finally:
        # Its whole group: what it started may live on.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return ended


def _end_of(status: int, said: str) -> str:
    how = _signal_name(-status) if status < 0 else f"exit status {status}"
    last = said.splitlines()[-1] if said else ""
    return f"the import ended its process: {how}{f' ({last})' if last else ''}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _failed(why: str) -> dict[str, Any]:
    return _answer(error=why[:ERROR_CHARACTERS_MAX])


def _answer(**found: object) -> dict[str, Any]:
    nothing = {"error": None, "importMs": None, "threads": None}
    return {**nothing, "hazard": None, "memoryBytes": None, **found}


def _measured(modules: list[str]) -> dict[str, Any]:
    _be_single_threaded()
    own = _told(open_descriptors) or {}
    started_s = time.perf_counter()
    try:
        for name in modules:
            module, _, attribute = name.partition(":")
            found: object = importlib.import_module(module)
            # As a zygote does: some modules load what is behind a name only when it is asked for.
            for part in filter(None, attribute.split(".")):
                found = getattr(found, part)
    except BaseException as error:
        # Also SystemExit: a module that calls sys.exit when it is imported has failed.
        return _failed(_in_one_line(error))
    import_ms = round((time.perf_counter() - started_s) * _MS_PER_S)
    return _answer(
        importMs=import_ms,
        hazard=find_hazard(own),
        threads=_told(_count_threads),
        memoryBytes=_told(_resident_bytes),
    )


def _found(module: str) -> dict[str, Any]:
    try:
        spec = importlib.util.find_spec(module)
    except BaseException as error:
        return _failed(_in_one_line(error))
    return _answer() if spec is not None else _failed(f"there is no module {module}")


def _be_single_threaded() -> None:
    """Set what a zygote sets before it imports; it needs a newer Python than a script may have."""
    try:
        from caduceus._threads import SINGLE_THREADED
    except Exception:
        return
    os.environ.update(SINGLE_THREADED)


def _told(ask: Callable[[], T]) -> T | None:
    """Return what /proc says; None on a system without it."""
    try:
        return ask()
    except (OSError, ValueError):
        return None


def _count_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _in_one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
