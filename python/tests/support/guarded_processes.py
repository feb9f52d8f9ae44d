"""Processes as a run has them, for the tests of the guardian."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus import _guardian
from caduceus._guardian import Guardian, read_process

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = _guardian.__file__
TOKEN = "token"
NODE = os.getpid()
DEADLINE_S = 5.0
INCARNATION = f"{TOKEN}/a/1/1"


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    return read_process(pid) is not None


def start_of(pid: int) -> int:
    process = read_process(pid)
    assert process is not None
    return process.start


class Processes:
    """Processes of a run, started as workers are, and what they start. All are ended at last."""

    def __init__(self) -> None:
        self.children: list[subprocess.Popen[bytes]] = []
        self.others: list[int] = []

    def start(self, *command: str, incarnation: str | None = INCARNATION, run: str = TOKEN) -> int:
        env = {"PATH": os.environ["PATH"], "CADUCEUS_RUN": run}
        if incarnation is None:
            env = {"PATH": os.environ["PATH"]}
        else:
            env["CADUCEUS_INCARNATION"] = incarnation
        child = subprocess.Popen(
            command or ("sleep", "300"), env=env, start_new_session=True, stdout=subprocess.PIPE
        )
        self.children.append(child)
        # Between fork and exec it is still what we are.
        wait_for(lambda: Path(f"/proc/{child.pid}/exe").resolve() != Path(sys.executable).resolve())
        return child.pid

    def start_python(self, program: str, incarnation: str = INCARNATION) -> tuple[int, int]:
        """Start a worker that prints the pid of what it starts. Return both."""
        python = shutil.which("python3", path=os.path.dirname(sys.executable)) or sys.executable
        env = {"PATH": os.environ["PATH"], "CADUCEUS_RUN": TOKEN}
        env["CADUCEUS_INCARNATION"] = incarnation
        child = subprocess.Popen(
            [python, "-S", "-c", program],
            env=env,
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        self.children.append(child)
        assert child.stdout is not None
        other = int(child.stdout.readline())
        self.others.append(other)
        return child.pid, other

    def reap(self) -> None:
        for child in self.children:
            child.poll()

    def end(self) -> None:
        for child in self.children:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
        for pid in self.others:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def tell(guardian: Guardian, verb: str, pid: int, incarnation: str = INCARNATION) -> None:
    start = start_of(pid) if is_alive(pid) else 0
    guardian.take(f"{verb} {pid} {start} {incarnation}".encode())


CHILD = (
    "import subprocess, time\n"
    "child = subprocess.Popen(['sleep', '300'], {options})\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(300)\n"
)
BARE_CHILD = CHILD.format(options="env={}")
OWN_SESSION = CHILD.format(options="start_new_session=True")
BARE_SESSION = CHILD.format(options="env={}, start_new_session=True")
