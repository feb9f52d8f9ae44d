"""What does a zygote see of Node?

A listening unix socket that speaks the other side of `docs/protocol.md` §9, the real zygote behind
it, and the workers that it forks. Every wait has a bound; nothing sleeps.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from fake_node import LANES, SOURCE_FOLDER, WAIT_S, FramedSocket

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

LAUNCH = (
    "import sys; sys.path[0:1] = [sys.argv[1]]; sys.argv[1:2] = []; "
    "from caduceus._zygote import main; main()"
)


class ForkedWorker:
    """One worker that a zygote has forked, with its lanes."""

    def __init__(self, pid: int, lanes: dict[str, FramedSocket]) -> None:
        self.pid = pid
        self.lanes = lanes
        self._next_id = 0

    def start(self, bridge: dict[str, Any], scratch_folder: str) -> dict[str, Any]:
        assert self.lanes["control"].receive()["type"] == "hello"
        welcome = {
            "type": "welcome",
            "protocol": "2.1",
            "workerId": "sample/0",
            "epoch": 1,
            "mode": "pool-worker",
            "frameBytesMax": 1 << 20,
            "scratchDir": scratch_folder,
            "bridge": bridge,
        }
        self.lanes["control"].send(welcome)
        return self.lanes["control"].receive()

    def call(self, op: str, args: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        self.post(op, args)
        reply = self.lanes["replies"].receive()
        assert reply["ok"], reply
        return reply["result"]

    def post(self, op: str, args: dict[str, Any] | None = None) -> None:
        self._next_id += 1
        call = {"type": "call", "id": self._next_id, "op": op, "args": args or {}, "session": None}
        self.lanes["calls"].send({**call, "deadlineMs": 60_000})

    def close(self) -> None:
        for lane in self.lanes.values():
            lane.connection.close()


class FakeZygoteNode:
    """Start one zygote; a context manager that leaves nothing behind."""

    def __init__(self, *, environ: dict[str, str] | None = None) -> None:
        # Not pytest's tmp_path: a socket's path may have at most a hundred bytes.
        self.folder = tempfile.mkdtemp(prefix="cad-")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.settimeout(WAIT_S)
        self.path = os.path.join(self.folder, "s")
        self._listener.bind(self.path)
        self._listener.listen(64)
        self.environ = {**os.environ, **(environ or {})}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, SOURCE_FOLDER],
            env={**self.environ, "CADUCEUS_WORKER": self._invitation("zygote", os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.workers: list[ForkedWorker] = []
        self._forks = 0

    def __enter__(self) -> Self:
        self.lane = FramedSocket(self._listener.accept()[0])
        first = self.lane.receive()
        assert first == {"type": "lane", "nonce": "zygote", "lane": "zygote"}
        self.hello = self.lane.receive()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        # Its workers have asked the kernel to die with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=WAIT_S)
        for worker in self.workers:
            worker.close()
        self.lane.connection.close()
        self._listener.close()
        shutil.rmtree(self.folder)

    def ready(self, *preload: str) -> dict[str, Any]:
        welcome = {"type": "welcome", "protocol": "2.1", "frameBytesMax": 1 << 20}
        self.lane.send({**welcome, "preload": list(preload)})
        return self.lane.receive()

    def order(self, environ: dict[str, str] | None = None, cwd: str | None = None) -> int:
        """Order a worker, without waiting for it."""
        self._forks += 1
        nonce = f"worker-{self._forks}"
        env = {**self.environ, **(environ or {}), "CADUCEUS_WORKER": self._invitation(nonce, 0)}
        self.lane.send({"type": "fork", "fork": self._forks, "env": env, "cwd": cwd})
        return self._forks

    def fork(self, environ: dict[str, str] | None = None, cwd: str | None = None) -> ForkedWorker:
        number = self.order(environ, cwd)
        forked = self.lane.receive()
        assert forked["type"] == "forked", forked
        assert forked["fork"] == number
        lanes: dict[str, FramedSocket] = {}
        for _ in LANES:
            lane = FramedSocket(self._listener.accept()[0])
            lanes[lane.receive()["lane"]] = lane
        worker = ForkedWorker(forked["pid"], lanes)
        self.workers.append(worker)
        return worker

    def scratch_folder(self, worker: ForkedWorker) -> str:
        path = os.path.join(self.folder, str(worker.pid))
        os.mkdir(path)
        return path

    def worker(self, script: str, environ: dict[str, str] | None = None) -> ForkedWorker:
        """Fork a worker and have it build the bridge of a script."""
        worker = self.fork(environ)
        ready = worker.start({"script": script}, self.scratch_folder(worker))
        assert ready["type"] == "ready", ready
        return worker

    def _invitation(self, nonce: str, parent_pid: int) -> str:
        return json.dumps({"socket": self.path, "nonce": nonce, "parentPid": parent_pid})
