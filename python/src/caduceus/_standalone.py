"""How is a bridge served on stdin and stdout, when its file is run by hand?

Protocol version 1, `docs/protocol.md` §10: four bytes of length, then a JSON object. One command at
a time; what cannot be read or sent is answered and ends nothing.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from caduceus._context import CallContext, entered
from caduceus._errors import BridgeError, error_object
from caduceus._handlers import DescribedHandler
from caduceus._unfolding import Unfolder
from caduceus._values import encode_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from caduceus.base_bridge import BaseBridge

MESSAGE_BYTES_MAX = 256 * 1024 * 1024
"""The longest message, in bytes: a frame of version 2 is at most as long."""

_LENGTH = struct.Struct(">I")
_SKIP_BYTES = 64 * 1024


class Wire:
    """The two ends that a bridge of version 1 talks over.

    Parameters
    ----------
    source : binary file
        Messages come from here.
    sink : binary file
        Replies go there.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self.sink = sink
        self._source = source
        self._to_skip = 0

    def read(self) -> Any:  # noqa: ANN401 - JSON
        """Return the next message.

        Returns
        -------
        Any
            Usually a dict; None at the end of the input.

        Raises
        ------
        BridgeError
            With code ``invalid_arguments``, for one that cannot be read. The next one can.
        """
        self._skip()
        head = self._source.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        if length > MESSAGE_BYTES_MAX:
            self._to_skip = length
            raise _unreadable(f"it has {length} bytes, at most {MESSAGE_BYTES_MAX} are read")
        data = self._source.read(length)
        if len(data) < length:
            return None
        try:
            message = json.loads(data)
        except (ValueError, RecursionError) as error:
            # UnicodeDecodeError among them.
            raise _unreadable(f"it is no JSON: {error}") from None
        return message

    def write(self, message: dict[str, Any]) -> None:
        """Write one message, all of it.

        Parameters
        ----------
        message : dict
            What JSON has.

        Raises
        ------
        BridgeError
            With code ``unencodable``, and nothing written.
        """
        data = encode_plain(message, "message").encode()
        if len(data) > MESSAGE_BYTES_MAX:
            raise BridgeError(
                f"a reply of {len(data)} bytes cannot be sent, at most {MESSAGE_BYTES_MAX} can",
                code="unencodable",
            )
        self.sink.write(_LENGTH.pack(len(data)) + data)
        self.sink.flush()

    def _skip(self) -> None:
        while self._to_skip > 0:
            skipped = len(self._source.read(min(self._to_skip, _SKIP_BYTES)))
            self._to_skip = self._to_skip - skipped if skipped else 0


def encode_plain(value: object, root: str) -> str:
    """Return the JSON of a value, without tags.

    Parameters
    ----------
    value : object
        As for `encode_value`.
    root : str
        What it is called in errors.

    Returns
    -------
    str
        The JSON.

    Raises
    ------
    BridgeError
        With code ``unencodable``, for what JSON lacks.
    """
    encoded = encode_value(value, root)
    if not encoded.tagged:
        return encoded.text
    try:
        # Integers of any size and keys that begin with $ need a tag elsewhere, and none here.
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BridgeError(f"{root}: {error}, says protocol 1", code="unencodable") from None


def serve(bridge: BaseBridge) -> None:
    """Answer commands until the end of the input, or until one of them is ``shutdown``.

    Parameters
    ----------
    bridge : BaseBridge
        Whose `_read_message` and `_write_message` are used.

    Raises
    ------
    OSError
        If the input is broken.
    """
    unfolder = Unfolder(bridge, _no_items)
    number = 0
    while not bridge.shutdown_requested:
        number += 1
        try:
            message: Any = bridge._read_message()
        except (EOFError, OSError):
            raise
        except Exception as error:
            message, reply = {}, _failure({}, error)
        else:
            if message is None:
                return
            if not isinstance(message, dict):
                message = {"command": message}
            reply = _reply(bridge, unfolder, message, number)
        try:
            _write(bridge, message, reply)
        except BrokenPipeError:
            return  # nobody reads any more


def _write(bridge: BaseBridge, message: dict[str, Any], reply: dict[str, Any]) -> None:
    try:
        bridge._write_message(reply)
    except BridgeError as error:
        bridge._write_message(_failure(message, error))


def _reply(
    bridge: BaseBridge, unfolder: Unfolder, message: dict[str, Any], number: int
) -> dict[str, Any]:
    try:
        return _success(message, _answer(bridge, unfolder, message, number))
    except Exception as error:
        return _failure(message, error)


def _answer(bridge: BaseBridge, unfolder: Unfolder, message: dict[str, Any], number: int) -> object:
    command, args = message.get("command"), message.get("args", {})
    if not isinstance(command, str):
        raise BridgeError(
            "a message must be an object whose command is a text", code="invalid_arguments"
        )
    session_id = None
    if isinstance(args, dict) and isinstance(args.get("session_id"), str):
        # Version 1 has no other place for it.
        session_id = args["session_id"]
        handler = bridge._handlers.get(command)
        if isinstance(handler, DescribedHandler) and not handler.takes("session_id"):
            args = {name: value for name, value in args.items() if name != "session_id"}
    call = CallContext(number, session_id, command)
    with entered(call):
        result = unfolder.unfold(bridge.handle_command(command, args), call)
    # Here, where it can still be the error of this command.
    return json.loads(encode_plain(result, "result"))


def _success(message: dict[str, Any], result: object) -> dict[str, Any]:
    return {"id": message.get("id"), "success": True, "result": result, "timestamp": time.time()}


def _failure(message: dict[str, Any], error: Exception) -> dict[str, Any]:
    described = error_object(error)
    return {
        "id": message.get("id"),
        "success": False,
        "error": described["message"],
        "error_type": described["type"],
        "error_code": described["code"],
        "traceback": described["traceback"],
        "timestamp": time.time(),
    }


def _unreadable(problem: str) -> BridgeError:
    return BridgeError(f"a message cannot be read: {problem}", code="invalid_arguments")


def _no_items(_call: CallContext, _number: int, _value: object) -> None:
    """Version 1 has no streams: nobody gives credit."""


class _Printed:
    """Standard output of a bridge that talks over it: texts go to stderr.

    Parameters
    ----------
    buffer : binary file
        Where bytes go that are written to its ``buffer``.
    """

    def __init__(self, buffer: BinaryIO) -> None:
        self.buffer = buffer

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever stderr has
        return getattr(sys.stderr, name)


def claim_stdio(*, is_read_elsewhere: bool, is_written_elsewhere: bool) -> Wire:
    """Take stdin and stdout for the wire alone, for good.

    What is printed from now on goes to stderr, also by C code and by processes that are started;
    and nobody else reads a command.

    Parameters
    ----------
    is_read_elsewhere : bool
        Whether ``sys.stdin.buffer`` is the wire still, for a bridge that reads there itself.
    is_written_elsewhere : bool
        The same of ``sys.stdout.buffer``.

    Returns
    -------
    Wire
        Over what were stdin and stdout.
    """
    sys.stdout.flush()
    sink = open(os.dup(1), "wb")  # noqa: SIM115 - for the life of the process
    os.dup2(2, 1)
    sys.stdout = _Printed(sink if is_written_elsewhere else sys.stderr.buffer)
    if is_read_elsewhere:
        return Wire(sys.stdin.buffer, sink)
    source = open(os.dup(0), "rb")  # noqa: SIM115
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return Wire(source, sink)


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Send what is printed to stderr, for the length of a ``with`` block."""
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(descriptor, 1)
        os.close(descriptor)
