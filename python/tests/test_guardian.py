"""Does the guardian kill all that a run leaves behind, and nobody else? Real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caduceus import _guardian
from caduceus._guardian import Guardian, Snapshot, read_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

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


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.end()


@pytest.fixture
def guardian() -> Guardian:
    return Guardian(TOKEN, NODE)


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


class TestEndOfRun:
    def test_kills_a_group_that_was_added(self, guardian: Guardian, processes: Processes) -> None:
        worker, child = processes.start_python(BARE_CHILD)
        tell(guardian, "add", worker)
        guardian.end_run()
        assert not is_alive(worker)
        assert not is_alive(child)

    def test_kills_who_carries_the_token_and_was_never_added(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        worker = processes.start()
        guardian.end_run()
        assert not is_alive(worker)

    def test_kills_a_grandchild_in_a_session_of_its_own_whose_parent_is_dead(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        worker, child = processes.start_python(OWN_SESSION)
        tell(guardian, "add", worker)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: not is_alive(worker))
        guardian.end_run()
        assert not is_alive(child)

    def test_kills_the_members_of_a_dead_worker_s_session_that_carry_nothing(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        worker, child = processes.start_python(BARE_CHILD)
        tell(guardian, "add", worker)
        os.kill(worker, signal.SIGKILL)
        processes.children[-1].wait()
        assert is_alive(child)
        guardian.end_run()
        assert not is_alive(child)

    def test_kills_who_carries_nothing_but_was_seen_while_its_parent_lived(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        worker, child = processes.start_python(BARE_SESSION)
        tell(guardian, "add", worker)
        guardian.look()
        os.kill(worker, signal.SIGKILL)
        processes.children[-1].wait()
        guardian.end_run()
        assert not is_alive(child)

    def test_leaves_other_runs_and_processes_of_none(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        other = processes.start(run="another", incarnation="another/a/1/1")
        nobodys = processes.start(incarnation=None)
        longer = processes.start(run=TOKEN + "x", incarnation="x")
        worker = processes.start()
        tell(guardian, "add", worker)
        guardian.end_run()
        assert not is_alive(worker)
        assert all(map(is_alive, [other, nobodys, longer]))

    def test_leaves_a_process_that_has_the_number_of_a_worker(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        stranger = processes.start(incarnation=None)
        guardian.take(f"add {stranger} {start_of(stranger) - 1} {INCARNATION}".encode())
        guardian.look()
        guardian.end_run()
        assert is_alive(stranger)

    def test_never_ends_node_or_itself(self, processes: Processes) -> None:
        node = processes.start()
        guardian = Guardian(TOKEN, node)
        tell(guardian, "add", node)
        tell(guardian, "add", os.getpid(), "b")
        guardian.end_run()
        assert is_alive(node)

    def test_is_over_when_something_cannot_be_killed(
        self, guardian: Guardian, processes: Processes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        processes.start()
        monkeypatch.setattr(_guardian, "_kill", lambda snapshot, pids: bool(pids))
        begun = time.monotonic()
        guardian.end_run()
        assert sum(_guardian.PAUSES_S) < 1.0
        assert time.monotonic() - begun < DEADLINE_S

    def test_catches_a_tree_that_keeps_forking(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        program = (
            "import os,time\n"
            "print(os.getpid(),flush=True)\n"
            "while True:\n"
            "    if os.fork(): time.sleep(0.02); os._exit(0)\n"
            "    os.setsid()\n"
        )
        processes.start_python(program)
        guardian.end_run()
        time_left = Snapshot().carriers({f"CADUCEUS_RUN={TOKEN}".encode()}, set())
        assert time_left == set()


class TestEndOfAWorker:
    def test_kills_what_it_left_behind_and_nobody_of_the_living(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        worker, child = processes.start_python(OWN_SESSION)
        other, others_child = processes.start_python(OWN_SESSION, f"{TOKEN}/b/1/2")
        tell(guardian, "add", worker)
        tell(guardian, "add", other, f"{TOKEN}/b/1/2")
        os.kill(worker, signal.SIGKILL)
        processes.children[0].wait()
        tell(guardian, "end", worker)
        guardian.end_records()
        assert not is_alive(child)
        assert is_alive(other)
        assert is_alive(others_child)

    def test_kills_it_when_it_lives_still(self, guardian: Guardian, processes: Processes) -> None:
        worker, child = processes.start_python(BARE_SESSION)
        tell(guardian, "add", worker)
        tell(guardian, "end", worker)
        guardian.end_records()
        assert not is_alive(worker)
        assert not is_alive(child)

    def test_kills_its_leftovers_though_it_was_never_added(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        leftover = processes.start()
        guardian.take(f"end 999999999 5 {INCARNATION}".encode())
        guardian.end_records()
        assert not is_alive(leftover)

    def test_kills_what_it_left_behind_while_who_forked_it_lives(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        fork = (
            "import os, subprocess, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
            "    print(child.pid, flush=True)\n"
            "time.sleep(300)\n"
        )
        zygote, child = processes.start_python(fork, f"{TOKEN}/zygote/1/1")
        found = read_process(child)
        assert found is not None
        worker = found.parent
        processes.others.append(worker)
        tell(guardian, "add", zygote, f"{TOKEN}/zygote/1/1")
        tell(guardian, "add", worker, f"{TOKEN}/a/1/2")
        tell(guardian, "end", worker, f"{TOKEN}/a/1/2")
        guardian.end_records()
        assert not is_alive(worker)
        assert not is_alive(child)
        assert is_alive(zygote)

    def test_leaves_a_worker_that_it_forked_and_that_was_added(
        self, guardian: Guardian, processes: Processes
    ) -> None:
        fork = (
            "import os,time\n"
            "child = os.fork()\n"
            "if child: print(child,flush=True)\n"
            "else: os.setsid()\n"
            "time.sleep(300)\n"
        )
        zygote, worker = processes.start_python(fork, f"{TOKEN}/zygote/1/1")
        wait_for(lambda: os.getsid(worker) == worker)
        tell(guardian, "add", zygote, f"{TOKEN}/zygote/1/1")
        guardian.look()
        tell(guardian, "add", worker, f"{TOKEN}/a/1/2")
        tell(guardian, "end", zygote, f"{TOKEN}/zygote/1/1")
        guardian.end_records()
        assert not is_alive(zygote)
        assert is_alive(worker)
        tell(guardian, "end", worker, f"{TOKEN}/a/1/2")
        guardian.end_records()
        assert not is_alive(worker)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"add",
        b"add 1 2",
        b"add x 2 a",
        b"add 5 y a",
        b"add -5 2 a",
        b"add 1 2 a b",
        b"kill 5 2 a",
        b"\xff\xfe 5 2 a",
        b"add 1 0 init",
        b"add 0 0 everybody",
        "add ² 5 a".encode(),
        b"add 99999999999999999999999 5 a",
        b"add 9999999999999999999 5 a",
    ],
)
def test_what_is_no_line_says_nothing(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[set[int]] = []

    def note(snapshot: Snapshot, pids: set[int]) -> bool:
        killed.append(pids)
        return False

    monkeypatch.setattr(_guardian, "_kill", note)
    guardian = Guardian("nobody carries this", NODE)
    guardian.take(line)
    guardian.look()
    guardian.end_records()
    guardian.end_run()
    assert all(pids == set() for pids in killed)


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
