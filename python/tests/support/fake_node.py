"""What does a worker see of Node?

A listening unix socket that speaks the other side of `docs/protocol.md`, and the real worker
process behind it. Every wait has a bound; nothing sleeps.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

WAIT_S = 20.0
SOURCE_FOLDER = str(Path(__file__).resolve().parents[2] / "src")
LAUNCH = (
    "import sys; sys.path[0:1] = [sys.argv[1]]; sys.argv[1:2] = []; "
    "from caduceus.worker import main; main()"
)
LANES = ("control", "calls", "replies", "stdout", "stderr")
NONCE = "a-nonce-for-one-incarnation"
SAMPLE = {"script": str(Path(__file__).parent / "sample_bridge.py")}
MODES = {
    mode: {"script": str(Path(__file__).parent / "modes_bridge.py"), "class": mode.capitalize()}
    for mode in ("sync", "threads", "asyncio")
}


class FramedSocket:
    """One accepted connection, read by hand: the codec under test is not its own judge."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.settimeout(WAIT_S)

    def read_exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.connection.recv(count - len(data))
            if not chunk:
                raise EOFError(f"stream ended after {len(data)} of {count} bytes")
            data += chunk
        return data

    def receive(self) -> dict[str, Any]:
        message, segments = self.receive_whole()
        assert segments == []
        return message

    def receive_whole(self) -> tuple[dict[str, Any], list[bytes]]:
        body_bytes, header_bytes = struct.unpack(">II", self.read_exactly(8))
        message = json.loads(self.read_exactly(header_bytes))
        assert isinstance(message, dict)
        offset = 8 + header_bytes
        segments = []
        for length in message.get("segments", []):
            padding = -offset % 8
            segments.append(self.read_exactly(padding + length)[padding:])
            offset += padding + length
        assert offset == 8 + body_bytes
        return message, segments

    def send(self, message: dict[str, Any], *segments: bytes) -> None:
        if segments:
            message = {**message, "segments": [len(segment) for segment in segments]}
        header = json.dumps(message).encode()
        body = header
        for segment in segments:
            body += bytes(-(8 + len(body)) % 8) + segment
        self.send_bytes(struct.pack(">II", len(body), len(header)) + body)

    def send_bytes(self, data: bytes) -> None:
        self.connection.sendall(data)

    def read_until(self, wanted: bytes) -> bytes:
        data = b""
        while wanted not in data:
            chunk = self.connection.recv(65536)
            assert chunk, f"stream ended with {data!r}, before {wanted!r}"
            data += chunk
        return data

    def read_to_end(self) -> bytes:
        data = b""
        while chunk := self.connection.recv(65536):
            data += chunk
        return data


class FakeNode:
    """Start one worker and hold its five lanes; a context manager that leaves nothing behind."""

    def __init__(
        self, *, environ: dict[str, str] | None = None, parent_pid: int | None = None
    ) -> None:
        # Not pytest's tmp_path: a socket's path may have at most a hundred bytes.
        self.folder = tempfile.mkdtemp(prefix="cad-")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.settimeout(WAIT_S)
        path = os.path.join(self.folder, "s")
        self._listener.bind(path)
        self._listener.listen(8)
        self.scratch_folder = os.path.join(self.folder, "scratch")
        os.mkdir(self.scratch_folder)
        invitation = json.dumps({"socket": path, "nonce": NONCE, "parentPid": parent_pid})
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, SOURCE_FOLDER],
            env={**os.environ, **(environ or {}), "CADUCEUS_WORKER": invitation},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.lanes: dict[str, FramedSocket] = {}
        self.first_frames: list[dict[str, Any]] = []
        self.mode = ""
        self._next_id = 0

    def __enter__(self) -> Self:
        for _ in LANES:
            lane = FramedSocket(self._listener.accept()[0])
            first = lane.receive()
            self.first_frames.append(first)
            self.lanes[first["lane"]] = lane
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=WAIT_S)
        for lane in self.lanes.values():
            lane.connection.close()
        self._listener.close()
        shutil.rmtree(self.folder)

    @property
    def control(self) -> FramedSocket:
        return self.lanes["control"]

    @property
    def replies(self) -> FramedSocket:
        return self.lanes["replies"]

    def hello(self) -> dict[str, Any]:
        message = self.control.receive()
        assert message["type"] == "hello"
        return message

    def welcome(self, bridge: dict[str, Any], **more: object) -> None:
        self.control.send(
            {
                "type": "welcome",
                "protocol": "2.1",
                "workerId": "test/0",
                "epoch": 1,
                "mode": "pool-worker",
                "frameBytesMax": 67108864,
                "scratchDir": self.scratch_folder,
                "bridge": bridge,
                **more,
            }
        )

    def start(self, bridge: dict[str, Any], **more: object) -> dict[str, Any]:
        """Shake hands and return what the worker says: ``ready`` or ``failed``."""
        self.hello()
        self.welcome(bridge, **more)
        answer = self.control_message("ready", "failed")
        self.mode = answer.get("execution", "")
        return answer

    def control_message(self, *types: str) -> dict[str, Any]:
        """Return the next control message of one of these types, passing over the others."""
        while True:
            message = self.control.receive()
            if message["type"] in types:
                return message

    def send_call(
        self,
        op: str,
        args: object = None,
        session: str | None = None,
        *segments: bytes,
        **more: object,
    ) -> int:
        self._next_id += 1
        message = {
            "type": "call",
            "id": self._next_id,
            "op": op,
            "args": {} if args is None else args,
            "session": session,
            "deadlineMs": 30_000,
            **more,
        }
        self.lanes["calls"].send(message, *segments)
        return self._next_id

    def call(self, op: str, args: object = None, session: str | None = None) -> dict[str, Any]:
        """Send a call and return its reply."""
        call_id = self.send_call(op, args, session)
        reply = self.replies.receive()
        assert reply["type"] == "reply"
        assert reply["id"] == call_id
        return reply

    def cancel(self, call_id: int, stage: str) -> None:
        self.control.send({"type": "cancel", "id": call_id, "stage": stage})

    def answer(self, callback: dict[str, Any], value: object) -> None:
        """Answer a callback that has been received."""
        assert callback["type"] == "callback", callback
        number = callback["callback"]
        message = {"type": "callback_result", "callback": number, "ok": True, "value": value}
        self.lanes["calls"].send(message)

    def nested(self, callback: dict[str, Any], op: str, args: object = None) -> int:
        """Call from inside a callback that has been received."""
        return self.send_call(op, args, parent=callback["id"], callback=callback["callback"])

    def wait_for_control(self) -> None:
        """Return when every control message sent so far has been taken."""
        self.control.send({"type": "ping", "seq": 0})
        self.control_message("pong")

    def result(self, op: str, args: object = None, session: str | None = None) -> Any:  # noqa: ANN401
        reply = self.call(op, args, session)
        assert reply["ok"], reply
        return reply["result"]

    def error(self, op: str, args: object = None, session: str | None = None) -> dict[str, Any]:
        reply = self.call(op, args, session)
        assert not reply["ok"], reply
        error = reply["error"]
        assert isinstance(error, dict)
        return error

    def exit_status(self) -> int:
        return self.process.wait(WAIT_S)
