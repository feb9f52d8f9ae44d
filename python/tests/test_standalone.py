from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

SUPPORT = Path(__file__).parent / "support"
SOURCES = Path(__file__).parents[1] / "src"
WAIT_S = 30.0


class Spoken:
    """A bridge that was started by hand; a context manager that leaves nothing behind."""

    def __init__(self, name: str = "Spoken") -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SUPPORT / "standalone_bridge.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.kill()
        self.process.communicate(timeout=WAIT_S)

    def send(self, data: bytes) -> None:
        pipe = cast("IO[bytes]", self.process.stdin)
        pipe.write(struct.pack(">I", len(data)) + data)
        pipe.flush()

    def call(self, command: object, args: object = None, call_id: object = 1) -> dict[str, Any]:
        message = {"id": call_id, "command": command, **({} if args is None else {"args": args})}
        self.send(json.dumps(message).encode())
        return self.reply()

    def reply(self) -> dict[str, Any]:
        pipe = cast("IO[bytes]", self.process.stdout)
        (length,) = struct.unpack(">I", pipe.read(4))
        reply: dict[str, Any] = json.loads(pipe.read(length))
        return reply

    def end(self) -> tuple[bytes, str, int]:
        """Return what is left on stdout, what was on stderr, and the exit status."""
        out, errors = self.process.communicate(timeout=WAIT_S)
        return out, errors.decode(), self.process.returncode


@pytest.fixture
def spoken() -> Iterator[Spoken]:
    with Spoken() as started:
        yield started


def test_it_answers_with_what_it_was_asked_for(spoken: Spoken) -> None:
    reply = spoken.call("echo", {"value": [1, "ä", None]}, call_id=7)
    assert {**reply, "timestamp": 0} == {
        "id": 7,
        "success": True,
        "result": [1, "ä", None],
        "timestamp": 0,
    }
    ping = spoken.call("ping")["result"]
    assert (ping["status"], ping["mode"], ping["worker_id"]) == ("ok", "by-hand", "me")
    assert ping["framework"]["name"] == "spoken"


def test_an_error_has_its_type_and_traceback_and_ends_nothing(spoken: Spoken) -> None:
    failed = spoken.call("fail", call_id="x")
    assert (failed["id"], failed["success"], failed["error_type"]) == ("x", False, "KeyError")
    assert failed["error"] == "'on purpose'"
    assert failed["traceback"].startswith("Traceback")
    assert "in fail\n" in failed["traceback"]
    unknown = spoken.call("no_such_thing")
    assert (unknown["error_type"], unknown["error_code"]) == ("BridgeError", "unknown_operation")
    assert spoken.call("get_stats")["result"]["error_count"] == 2


@pytest.mark.parametrize("data", [b"{nope", b"[1]", b'"\xff"', b"7", b"", b'{"id": 3}'])
def test_a_bad_message_is_answered_and_ends_nothing(spoken: Spoken, data: bytes) -> None:
    spoken.send(data)
    assert spoken.reply()["error_code"] == "invalid_arguments"
    assert spoken.call("echo", {"value": 1})["result"] == 1


def test_a_message_that_is_too_long_is_skipped(spoken: Spoken) -> None:
    pipe = cast("IO[bytes]", spoken.process.stdin)
    length = 256 * 1024 * 1024 + 1
    pipe.write(struct.pack(">I", length))
    pipe.flush()
    assert f"it has {length} bytes" in spoken.reply()["error"]
    chunk = bytes(1024 * 1024)
    for _ in range(256):
        pipe.write(chunk)
    pipe.write(b"\0")
    assert spoken.call("echo", {"value": 1})["result"] == 1


def test_what_is_printed_goes_to_stderr_and_nobody_else_reads_the_wire(spoken: Spoken) -> None:
    assert spoken.call("noisy")["result"] == ""
    out, errors, status = spoken.end()
    assert (out, status) == (b"", 0)
    for text in ("printed in setup", "written in setup", "printed", "buffered", "from a child"):
        assert f"{text}\n" in errors


def test_coroutines_and_generators_are_run_to_their_end(spoken: Spoken) -> None:
    assert spoken.call("later")["result"] == "later"
    assert spoken.call("items")["result"] == [1, 2]
    assert spoken.call("aitems")["result"] == [3]


@pytest.mark.parametrize("what", ["bytes", "nan", "set"])
def test_what_json_lacks_is_refused(spoken: Spoken, what: str) -> None:
    assert spoken.call("unsendable", {"what": what})["error_code"] == "unencodable"
    assert spoken.call("big")["result"] == {"$key": 2**70}


def test_the_session_that_is_among_the_arguments_is_not_one_of_them(spoken: Spoken) -> None:
    assert spoken.call("echo", {"value": 1, "session_id": "alice"})["result"] == 1


def test_shutdown_ends_it_after_its_reply(spoken: Spoken) -> None:
    assert spoken.call("shutdown")["result"]["status"] == "shutting_down"
    assert spoken.process.wait(WAIT_S) == 0


def test_the_end_of_the_input_ends_it(spoken: Spoken) -> None:
    spoken.send(b'{"id": 1, "command": "ping"}')
    out, _errors, status = spoken.end()
    assert status == 0
    assert json.loads(out[4:])["success"]


def test_a_message_that_is_cut_short_is_the_end_too(spoken: Spoken) -> None:
    cast("IO[bytes]", spoken.process.stdin).write(struct.pack(">I", 100) + b"{")
    assert spoken.end()[0::2] == (b"", 0)


def test_a_handler_that_exits_ends_the_process_without_a_reply(spoken: Spoken) -> None:
    spoken.send(b'{"id": 1, "command": "leave"}')
    assert spoken.end()[0::2] == (b"", 3)


def test_reading_and_writing_may_be_the_bridges_own() -> None:
    with Spoken("Seed") as spoken:
        reply = spoken.call("echo", {"value": 1})
        assert (reply["result"], reply["seed"]) == (1, True)
        assert spoken.call("unsendable", {"what": "bytes"})["error_code"] == "unencodable"
        assert spoken.call("shutdown")["seed"]
        assert spoken.process.wait(WAIT_S) == 0
