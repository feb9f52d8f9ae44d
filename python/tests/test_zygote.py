from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fake_node import WAIT_S
from fake_zygote_node import FakeZygoteNode

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zygotes are for Linux")

BRIDGE = str(Path(__file__).parent / "support" / "zygote_bridge.py")


@pytest.fixture
def zygote() -> Iterator[FakeZygoteNode]:
    with FakeZygoteNode() as node:
        yield node


def test_it_says_hello_as_a_worker_does_and_then_what_it_has_imported(
    zygote: FakeZygoteNode,
) -> None:
    assert zygote.hello["pid"] == zygote.process.pid
    assert {"protocol", "python", "gil"} <= zygote.hello.keys()
    ready = zygote.ready("xml.dom.minidom", "json:JSONDecoder.decode")
    assert ready["type"] == "ready"
    assert ready["hazard"] is None
    assert ready["modules"] > 50
    assert ready["importMs"] >= 0


@pytest.mark.parametrize("name", ["no_such_module", "json:NoSuchName"])
def test_a_preload_that_fails_is_told_and_ends_it(zygote: FakeZygoteNode, name: str) -> None:
    failed = zygote.ready(name)
    assert failed["type"] == "failed"
    assert failed["error"]["type"] in {"ModuleNotFoundError", "AttributeError"}
    assert zygote.process.wait(WAIT_S) == 1


def test_a_refused_zygote_ends_with_status_2(zygote: FakeZygoteNode) -> None:
    zygote.lane.send({"type": "refuse", "reason": "protocol 3.0 found, 2.x wanted"})
    assert zygote.process.wait(WAIT_S) == 2


def test_it_ends_with_its_lane(zygote: FakeZygoteNode) -> None:
    zygote.ready()
    zygote.lane.connection.close()
    assert zygote.process.wait(WAIT_S) == 0


def test_it_answers_pings_and_ends_at_what_is_no_message(zygote: FakeZygoteNode) -> None:
    zygote.ready()
    zygote.lane.send({"type": "ping", "seq": 5})
    assert zygote.lane.receive() == {"type": "pong", "seq": 5}
    zygote.lane.send({"type": "dance"})
    _, errors = zygote.process.communicate(timeout=WAIT_S)
    assert zygote.process.returncode == 1
    assert b"unknown message type 'dance'" in errors


def test_a_forked_worker_is_like_one_that_was_started_alone(
    zygote: FakeZygoteNode, tmp_path: Path
) -> None:
    zygote.ready()
    worker = zygote.fork({"GREETING": "héllo"}, str(tmp_path))
    ready = worker.start({"script": BRIDGE}, zygote.scratch_folder(worker))
    assert ready["type"] == "ready"
    found = worker.call("describe")
    assert found["pid"] == worker.pid == found["session"] == found["group"]
    assert found["parent"] == zygote.process.pid
    assert found["cwd"] == str(tmp_path)
    assert found["environ"]["GREETING"] == "héllo"
    assert "CADUCEUS_WORKER" not in found["environ"]
    # The zygote's own threads are not the worker's: this environment asks for none.
    assert found["environ"].get("OMP_NUM_THREADS") == os.environ.get("OMP_NUM_THREADS")
    assert found["is_gc_enabled"]
    assert found["frozen"] > 0
    assert found["has_default_signals"]
    assert found["wakeup"] == -1
    # Its own children are its own to wait for.
    assert worker.call("children") == {"status": 7}


@pytest.mark.parametrize("length", [8, 10_000])
def test_a_forked_worker_is_shown_under_its_own_incarnation_where_there_is_place_for_it(
    zygote: FakeZygoteNode, length: int
) -> None:
    zygote.ready()
    incarnation = "token/sample/0/1/" + "7" * length
    worker = zygote.fork({"CADUCEUS_INCARNATION": incarnation})
    shown = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
    was = Path(f"/proc/{zygote.process.pid}/environ").read_bytes().split(b"\0")
    has_place = length < 100
    assert (os.fsencode(f"CADUCEUS_INCARNATION={incarnation}") in shown) == has_place
    assert any(entry.startswith(b"CADUCEUS_WORKER=") for entry in shown) != has_place
    others = [entry for entry in was if entry and not entry.startswith(b"CADUCEUS_WORKER=")]
    assert set(others) <= set(shown)
    # What Python itself holds to be its environment is right in either case.
    ready = worker.start({"script": BRIDGE}, zygote.scratch_folder(worker))
    assert ready["type"] == "ready"
    assert worker.call("describe")["environ"]["CADUCEUS_INCARNATION"] == incarnation


def test_no_descriptor_is_shared_by_siblings_and_the_end_of_one_is_seen_while_the_other_lives(
    zygote: FakeZygoteNode,
) -> None:
    zygote.ready()
    first, second = zygote.worker(BRIDGE), zygote.worker(BRIDGE)
    found = [worker.call("describe")["descriptors"] for worker in (first, second)]
    sockets = [{to for to in each.values() if to.startswith("socket:")} for each in found]
    assert len(sockets[0]) == len(sockets[1]) == 5
    assert not sockets[0] & sockets[1]
    with_zygote = _descriptors_of(zygote.process.pid)
    assert not {to for to in with_zygote if to.startswith("socket:")} & (sockets[0] | sockets[1])
    os.kill(first.pid, signal.SIGKILL)
    for lane in first.lanes.values():
        assert lane.read_to_end() == b""
    assert second.call("ping")["status"] == "ok"


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (3, {"status": 3, "signal": None}),
        (0, {"status": 0, "signal": None}),
        (signal.SIGSEGV, {"status": None, "signal": 11}),
        (signal.SIGKILL, {"status": None, "signal": 9}),
        (signal.SIGTERM, {"status": None, "signal": 15}),
    ],
)
def test_how_a_worker_ends_is_told_exactly(
    zygote: FakeZygoteNode, end: int, told: dict[str, Any]
) -> None:
    zygote.ready()
    worker = zygote.worker(BRIDGE)
    if isinstance(end, signal.Signals):
        os.kill(worker.pid, end)
    else:
        worker.post("exit", {"status": end})
    assert zygote.lane.receive() == {"type": "exited", "pid": worker.pid, **told}
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


def test_many_ends_at_once_are_all_told(zygote: FakeZygoteNode) -> None:
    zygote.ready()
    workers = [zygote.fork() for _ in range(12)]
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    ended = {zygote.lane.receive()["pid"] for _ in workers}
    assert ended == {worker.pid for worker in workers}


@pytest.mark.parametrize(
    ("preload", "hazard"),
    [
        ("zygote_preloads.a_thread", "2 threads: MainThread, warmer"),
        ("zygote_preloads.a_connection", "an open connection: descriptor "),
        ("zygote_preloads.a_context", "an initialised CUDA context"),
    ],
)
def test_a_preload_after_which_no_fork_is_safe_is_found(preload: str, hazard: str) -> None:
    with FakeZygoteNode(environ={"PYTHONPATH": str(Path(BRIDGE).parent)}) as zygote:
        assert zygote.ready(preload)["hazard"].startswith(hazard)
        zygote.order()
        refused = zygote.lane.receive()
        assert refused["type"] == "refused"
        assert refused["fork"] == 1
        assert refused["hazard"].startswith(hazard)


def test_workers_die_with_their_zygote(zygote: FakeZygoteNode) -> None:
    zygote.ready()
    workers = [zygote.worker(BRIDGE) for _ in range(2)]
    watched = [os.pidfd_open(worker.pid) for worker in workers]
    os.kill(zygote.process.pid, signal.SIGKILL)
    for watch in watched:
        # Readable when the process has ended.
        assert select.select([watch], [], [], WAIT_S)[0]
        os.close(watch)


def test_siblings_draw_different_random_numbers(zygote: FakeZygoteNode) -> None:
    pytest.importorskip("torch")
    assert zygote.ready("numpy.random", "torch")["hazard"] is None
    first, second = (zygote.worker(BRIDGE).call("draws") for _ in range(2))
    assert first.keys() == {"random", "numpy", "torch"}
    assert [name for name in first if first[name] == second[name]] == []


def test_numpy_scikit_learn_and_torch_compute_in_the_child_with_their_threads_back() -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    threads = {"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3"}
    with FakeZygoteNode() as zygote:
        ready = zygote.ready("numpy", "sklearn.ensemble", "sklearn.linear_model", "torch")
        assert ready["hazard"] is None
        for _ in range(2):
            worker = zygote.worker(BRIDGE, threads)
            assert worker.call("describe")["modules"] == ["numpy", "sklearn", "torch"]
            product = worker.call("numpy", {"size": 700})
            assert product["trace"] == pytest.approx(product["wanted"])
            # One control thread, one main thread, and at least two more that help to multiply.
            assert product["threads"] >= 4
            scores = worker.call("sklearn")
            assert scores["linear"] > 0.8
            assert scores["boosted"] > 0.8
            step = worker.call("torch")
            assert step["threads"] == 3
            # d/dw of the mean of (w @ ones)^2, all weights being 0.5: 2 * 200 / 400.
            assert step["gradient"] == pytest.approx(1.0)
            assert step["weight"] == pytest.approx(0.5 - 1e-6)
        # The zygote is as it was.
        zygote.fork()


def _descriptors_of(pid: int) -> list[str]:
    folder = f"/proc/{pid}/fd"
    return [os.readlink(f"{folder}/{number}") for number in os.listdir(folder)]
