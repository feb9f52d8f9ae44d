"""Does the guardian do what its parts do, as the process that it is, on every Python there is?"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caduceus._guardian import Guardian, Snapshot
from guarded_processes import (
    BARE_CHILD,
    BARE_SESSION,
    DEADLINE_S,
    INCARNATION,
    NODE,
    OWN_SESSION,
    PROGRAM,
    TOKEN,
    Processes,
    is_alive,
    start_of,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.end()


@pytest.fixture
def guardian() -> Guardian:
    return Guardian(TOKEN, NODE)


def interpreters() -> list[str]:
    homes = sorted(Path.home().glob(".pyenv/versions/*/bin/python"))
    found = [shutil.which(f"python3.{minor}") for minor in range(8, 20)]
    wanted = {sys.executable, *(path for path in found if path), *map(str, homes)}
    return sorted(path for path in wanted if _minor(path) >= 8)


def _minor(python: str) -> int:
    asked = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info[0] == 3 and sys.version_info[1])"],
        capture_output=True,
        text=True,
        check=False,
    )
    answer = asked.stdout.strip()
    return int(answer) if answer.isdigit() else 0


class TestProcess:
    def start(self, python: str = sys.executable) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [python, "-I", "-S", PROGRAM],
            env={"CADUCEUS_GUARDIAN": TOKEN, "CADUCEUS_GUARDIAN_NODE": str(NODE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @pytest.mark.parametrize("python", interpreters())
    def test_runs_on_every_python_from_3_8_on(self, python: str, processes: Processes) -> None:
        worker, child = processes.start_python(BARE_CHILD)
        lines = f"add {worker} {start_of(worker)} {INCARNATION}\n"
        with self.start(python) as guardian:
            _, errors = guardian.communicate(lines.encode(), timeout=DEADLINE_S)
        assert (guardian.returncode, errors) == (0, b"")
        assert not is_alive(worker)
        assert not is_alive(child)

    def test_ends_a_worker_s_leftovers_while_the_run_goes_on(self, processes: Processes) -> None:
        worker, child = processes.start_python(OWN_SESSION)
        with self.start() as guardian:
            assert guardian.stdin is not None
            start = start_of(worker)
            for line in (f"add {worker} {start} {INCARNATION}\nend {worker} ", f"{start} "):
                guardian.stdin.write(line.encode())
                guardian.stdin.flush()
            assert is_alive(child)
            guardian.stdin.write(f"{INCARNATION}\n".encode())
            guardian.stdin.flush()
            wait_for(lambda: not is_alive(child))
            assert guardian.poll() is None

    def test_sees_descendants_by_itself(self, processes: Processes) -> None:
        worker, child = processes.start_python(BARE_SESSION)
        with self.start() as guardian:
            assert guardian.stdin is not None
            guardian.stdin.write(f"add {worker} {start_of(worker)} {INCARNATION}\n".encode())
            guardian.stdin.flush()
            wait_for(lambda: _ignored(guardian.pid, signal.SIGQUIT))
            # A look at all processes is what it reads for; one is over, and the next half.
            enough = _reads(guardian.pid) + 1.5 * len(Snapshot().processes)
            wait_for(lambda: _reads(guardian.pid) > enough)
            os.kill(worker, signal.SIGKILL)
            processes.children[-1].wait()
            guardian.communicate(timeout=DEADLINE_S)
        assert not is_alive(child)

    def test_does_not_hear_signals_that_end_others(self, processes: Processes) -> None:
        with self.start() as guardian:
            wait_for(lambda: _ignored(guardian.pid, signal.SIGQUIT))
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                guardian.send_signal(number)
            worker = processes.start()
            guardian.communicate(timeout=DEADLINE_S)
        assert guardian.returncode == 0
        assert not is_alive(worker)

    def test_imports_little(self) -> None:
        program = (
            "import runpy,sys; before=set(sys.modules)\n"
            f"runpy.run_path({PROGRAM!r})\n"
            "print(len(set(sys.modules)-before))"
        )
        asked = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program], capture_output=True, check=True
        )
        assert int(asked.stdout) < 25


def _reads(pid: int) -> int:
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("syscr:"):
            return int(line.split()[1])
    return 0


def _ignored(pid: int, number: int) -> bool:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigIgn:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False
