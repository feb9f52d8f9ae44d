"""Who kills what a dead Node has left behind? `docs/protocol.md` §8 is the norm.

Started by file path as ``python -I -S _guardian.py``, in a session of its own, by any Python from
3.8 on: it imports nothing of this package, and little else. ``CADUCEUS_GUARDIAN`` names the run,
``CADUCEUS_GUARDIAN_NODE`` Node's pid. Lines come on standard input, and at its end all is killed.
"""

from __future__ import annotations

import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Between two rounds of killing, less than a second in all: what is not dead by then forks faster
# than it is killed, or waits for a disk and dies when it need not wait any more.
PAUSES_S = [min(0.001 * 2**power, 0.05) for power in range(20)]
# Rounds that may pass over doubts alone: in the middle of an exec a process shows no environment,
# which takes less than 1 ms, but some never have one.
DOUBTS_MAX = 6
# How often the descendants of workers are written down, while they can still be traced to one.
LOOK_S = 1.0
# A look that took a millisecond is not repeated for this many: at most 1 % of one core.
LOOK_DUTY = 100

_READ_BYTES = 64 * 1024


class Process:
    """One process as the kernel lists it."""

    def __init__(self, pid: int, fields: list[bytes]) -> None:
        self.pid, self.start = pid, int(fields[19])
        self.parent, self.group, self.session = map(int, fields[1:4])


class Record:
    """One worker: the leader of a group, and whoever was seen to descend from it."""

    def __init__(self, leader: int, start: int, incarnation: str) -> None:
        self.leader, self.start, self.incarnation = leader, start, incarnation
        self.seen: dict[int, int] = {leader: start} if start else {}


def read_process(pid: int) -> Process | None:
    """Return what the kernel says of a process."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            # The program's name may hold spaces and brackets: fields are counted from the last one.
            fields = file.read(4096).rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else Process(pid, fields)
    except (OSError, IndexError, ValueError):
        return None


def environ_of(process: Process) -> list[bytes] | None:
    """Return what a process of this user was started with; None in the middle of an exec."""
    folder = f"/proc/{process.pid}"
    try:
        # Threads of the kernel are in no session.
        if process.session == 0 or os.stat(folder).st_uid != os.getuid():
            return []
        with open(folder + "/environ", "rb") as file:
            text = file.read()
    except OSError:
        # It has ended, or hides its environment.
        return []
    return text.split(b"\0") if text else None


def kill_process(process: Process) -> None:
    """Send SIGKILL to this very process, never to one that has its number after it."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        # A Python before 3.9, a kernel before 5.3, or nobody has this number any more.
        descriptor = -1
    try:
        now = read_process(process.pid)
        if now is None or now.start != process.start:
            return
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        else:
            os.kill(process.pid, signal.SIGKILL)
    except OSError:
        # It was faster, or is not ours to kill.
        return
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def kill_group(leader: int) -> None:
    """Send SIGKILL to a process group, in which nobody can fork meanwhile."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (OSError, OverflowError):
        return


class Snapshot:
    """All living processes at one moment, with who descends from whom."""

    def __init__(self) -> None:
        self.is_doubtful = False
        self.processes: dict[int, Process] = {}
        self._children: dict[int, list[int]] = {}
        self._members: dict[int, list[int]] = {}
        for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
            process = read_process(int(name)) if name.isdigit() else None
            if process is not None:
                self.processes[process.pid] = process
                self._children.setdefault(process.parent, []).append(process.pid)
                self._members.setdefault(process.session, []).append(process.pid)

    def has(self, pid: int, start: int) -> bool:
        """Return whether this very process lives."""
        return pid in self.processes and self.processes[pid].start == start

    def closure(self, roots: set[int], sessions: set[int], never: set[int]) -> set[int]:
        """Return the living roots, their descendants, and who is in these or in their sessions."""
        found: set[int] = set()
        waiting = [pid for pid in roots if pid in self.processes]
        for session in sessions:
            waiting.extend(self._members.get(session, ()))
        while waiting:
            pid = waiting.pop()
            if pid in found or pid in never:
                continue
            found.add(pid)
            waiting.extend(self._children.get(pid, ()))
            if self.processes[pid].session == pid:
                waiting.extend(self._members.get(pid, ()))
        return found

    def carriers(self, entries: set[bytes], never: set[int]) -> set[int]:
        """Return who was started with one of these variables; note whether all could say so."""
        found: set[int] = set()
        for process in self.processes.values():
            environ = [] if process.pid in never else environ_of(process)
            self.is_doubtful = self.is_doubtful or environ is None
            if not entries.isdisjoint(environ or ()):
                found.add(process.pid)
        return found


class Guardian:
    """What is known of a run, and how it ends."""

    def __init__(self, token: str, node: int) -> None:
        self._entry = os.fsencode(f"CADUCEUS_RUN={token}")
        self._never = {os.getpid(), node, 0, 1}
        self._records: dict[str, Record] = {}
        self._ended: list[Record] = []

    def take(self, line: bytes) -> None:
        """Learn what one line says; what is not a line of the protocol says nothing."""
        words = line.split(b" ")
        if len(words) != 4 or not all(len(word) < 20 and word.isdigit() for word in words[1:3]):
            return
        leader, start, incarnation = int(words[1]), int(words[2]), os.fsdecode(words[3])
        if leader in self._never:
            return
        if words[0] == b"add":
            self._records[incarnation] = Record(leader, start, incarnation)
            # A worker that another process forked was seen as its descendant until now.
            for record in self._records.values():
                if record.incarnation != incarnation:
                    record.seen.pop(leader, None)
        elif words[0] == b"end":
            unknown = Record(leader, start, incarnation)
            self._ended.append(self._records.pop(incarnation, unknown))

    def look(self) -> None:
        """Write down who descends from the workers, while that can still be seen."""
        if not self._records:
            return
        snapshot = Snapshot()
        leaders = {record.leader for record in self._records.values()}
        for record in self._records.values():
            roots = _seen_in(snapshot, [record])
            others = (leaders - {record.leader}) | self._never
            found = snapshot.closure(roots, _sessions_in(snapshot, [record]), others)
            record.seen = {pid: snapshot.processes[pid].start for pid in found}

    def end_records(self) -> None:
        """Kill what ended workers have left behind, and nothing of the living ones."""
        records, self._ended = self._ended, []
        if records:
            names = {os.fsencode(f"CADUCEUS_INCARNATION={each.incarnation}") for each in records}
            _until_none(lambda snapshot: _kill(snapshot, self._leftovers(snapshot, records, names)))

    def end_run(self) -> None:
        """Kill everything of the run."""
        if Snapshot().processes:
            _until_none(self._kill_everybody)
            return
        # Without /proc groups are all that is known.
        for record in self._records.values():
            kill_group(record.leader)

    def _kill_everybody(self, snapshot: Snapshot) -> bool:
        living = list(self._records.values())
        roots = _seen_in(snapshot, living + self._ended)
        known = snapshot.closure(roots, _sessions_in(snapshot, living), self._never)
        # Those first: environments are read one by one, and a process may hold its own back.
        _kill(snapshot, known)
        never = self._never | known
        found = snapshot.closure(snapshot.carriers({self._entry}, never), set(), never)
        return _kill(snapshot, found) or bool(known)

    def _leftovers(self, snapshot: Snapshot, ended: list[Record], names: set[bytes]) -> set[int]:
        seen = _seen_in(snapshot, ended)
        # A worker may be the child of another, and then carries the other's name.
        kept = {each.leader for each in self._records.values()}
        never = self._never | snapshot.closure(kept, set(), self._never | seen)
        return snapshot.closure(seen | snapshot.carriers(names, never), set(), never)


def _seen_in(snapshot: Snapshot, records: list[Record]) -> set[int]:
    """Return the living of those who were seen in these records."""
    return {pid for each in records for pid, start in each.seen.items() if snapshot.has(pid, start)}


def _sessions_in(snapshot: Snapshot, records: list[Record]) -> set[int]:
    """Return the sessions of workers that Node held to the end: nobody else has their numbers."""
    return {
        each.leader
        for each in records
        if each.start
        and (each.leader not in snapshot.processes or snapshot.has(each.leader, each.start))
    }


def _until_none(kill_once: Callable[[Snapshot], bool]) -> None:
    """Go round until nobody is found: processes fork and exec while they are looked for."""
    doubts = 0
    for pause_s in PAUSES_S:
        snapshot = Snapshot()
        if not kill_once(snapshot):
            doubts += 1
            if not snapshot.is_doubtful or doubts == DOUBTS_MAX:
                return
        time.sleep(pause_s)


def _kill(snapshot: Snapshot, pids: set[int]) -> bool:
    """Kill these, whole groups where they lead one. Return whether there was any."""
    for pid in pids:
        process = snapshot.processes[pid]
        if process.group == pid:
            now = read_process(pid)
            if now is not None and now.start == process.start:
                kill_group(pid)
        else:
            kill_process(process)
    return bool(pids)


def serve(descriptor: int, guardian: Guardian) -> None:
    """Hand lines to the guardian until they end, then let it end the run."""
    rest = b""
    look_at = time.monotonic() + LOOK_S
    while True:
        wait_s = max(0.0, look_at - time.monotonic())
        if select.select([descriptor], [], [], wait_s)[0]:
            data = os.read(descriptor, _READ_BYTES)
            if not data:
                if hasattr(os, "SCHED_BATCH"):
                    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                guardian.take(line)
            guardian.end_records()
        now = time.monotonic()
        if now >= look_at:
            guardian.look()
            look_at = now + max(LOOK_S, LOOK_DUTY * (time.monotonic() - now))
    guardian.end_run()


def main() -> None:
    """Guard the run that the environment names, until standard input ends."""
    if hasattr(os, "SCHED_BATCH"):
        # Whoever writes a line has better things to do than to wait until it is read.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # Whoever wants to end everything ends Node; that is heard of on standard input.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    serve(0, Guardian(os.environ["CADUCEUS_GUARDIAN"], int(os.environ["CADUCEUS_GUARDIAN_NODE"])))


if __name__ == "__main__":
    main()
