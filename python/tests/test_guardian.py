"""Does the guardian kill all that a run leaves behind, and nobody else? Real processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from caduceus import _guardian
from caduceus._guardian import Guardian, Snapshot, read_process
from guarded_processes import (
    BARE_CHILD,
    BARE_SESSION,
    DEADLINE_S,
    INCARNATION,
    NODE,
    OWN_SESSION,
    TOKEN,
    Processes,
    is_alive,
    start_of,
    tell,
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
