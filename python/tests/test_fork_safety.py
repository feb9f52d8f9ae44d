from __future__ import annotations

import os
import socket
import sys
import threading
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from caduceus._fork_safety import find_hazard, open_descriptors
from caduceus._forked import remember_signals, reseed, restore_signals
from caduceus._threads import find_libraries, restore_threads

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zygotes are for Linux")


def test_a_process_with_one_thread_and_no_connection_may_fork() -> None:
    assert _in_fork(lambda: find_hazard(open_descriptors())) == "None"


def test_a_second_thread_is_named() -> None:
    def with_thread() -> str | None:
        end = threading.Event()
        threading.Thread(target=end.wait, name="warmer", daemon=True).start()
        return find_hazard(open_descriptors())

    assert _in_fork(with_thread) == "2 threads: MainThread, warmer"


def test_a_thread_that_has_ended_is_none() -> None:
    def with_ended_thread() -> str | None:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        return find_hazard(open_descriptors())

    assert _in_fork(with_ended_thread) == "None"


@pytest.mark.parametrize(
    ("open_one", "found"),
    [
        (lambda: socket.socketpair()[0], "an open connection: descriptor "),
        (lambda: os.pipe(), "an open pipe: descriptor "),
        (lambda: __import__("select").epoll(), "an open kernel object: descriptor "),
    ],
)
def test_what_two_processes_must_not_share_is_found(
    open_one: Callable[[], object], found: str
) -> None:
    def with_descriptor() -> str | None:
        known = open_descriptors()
        kept = open_one()
        hazard = find_hazard(known)
        return hazard if kept else None

    assert _in_fork(with_descriptor).startswith(found)


def test_a_file_may_be_shared_and_a_known_descriptor_too() -> None:
    def with_file() -> str | None:
        ours, _theirs = socket.socketpair()
        known = open_descriptors()
        with open(__file__, encoding="utf-8"):
            return find_hazard(known) if ours.fileno() in known else "not known"

    assert _in_fork(with_file) == "None"


def test_a_number_that_is_used_again_is_another_descriptor() -> None:
    def with_other() -> str | None:
        first, second = socket.socketpair()
        known = open_descriptors()
        os.dup2(os.pipe()[0], first.fileno())
        second.detach()
        return find_hazard(known)

    assert _in_fork(with_other).startswith("an open pipe")


def test_an_initialised_cuda_context_is_a_hazard(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert _in_fork(lambda: find_hazard(open_descriptors())) == "an initialised CUDA context"


def test_signal_handlers_are_put_back() -> None:
    import signal

    def handled() -> str:
        handlers = remember_signals()
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        restore_signals(handlers)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        return f"{signal.getsignal(signal.SIGTERM) == handlers[signal.SIGTERM]} {len(blocked)}"

    assert _in_fork(handled) == "True 0"


def test_thread_counts_follow_the_environment_and_are_read_back() -> None:
    numpy = pytest.importorskip("numpy")
    assert numpy.eye(2) is not None
    libraries = find_libraries()
    assert [library.name for library in libraries if "openblas" in library.name]

    def counts(environ: dict[str, str]) -> str:
        found = restore_threads(environ, libraries)
        # SciPy brings one of its own, where something has imported it.
        return " ".join(
            {f"{count.wanted}={count.found}" for count in found if "openblas" in count.library}
        )

    assert _in_fork(lambda: counts({"OMP_NUM_THREADS": "3,2"})) == "3=3"
    assert _in_fork(lambda: counts({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "2"})) == "2=2"
    cores = len(os.sched_getaffinity(0))
    assert _in_fork(lambda: counts({"OPENBLAS_NUM_THREADS": "no number"})) == f"{cores}={cores}"


def test_forks_that_reseed_draw_different_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    import random

    def draw() -> str:
        reseed()
        return f"{random.random()} {numpy.random.random()}"

    first, second = _in_fork(draw).split(), _in_fork(draw).split()
    assert first[0] != second[0]
    assert first[1] != second[1]


def _in_fork(tell: Callable[[], Any]) -> str:
    """Return what `tell` gives in a forked child, as text: what it opens and sets goes with it."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Other tests have imported what starts threads; the child has one, and computes little.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            # A test runner's own descriptors stay known to `open_descriptors` of the child.
            os.write(writing, str(tell()).encode())
        except BaseException as error:
            os.write(writing, f"raised {error!r}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        text = file.read().decode()
    os.waitpid(pid, 0)
    return text
