"""What does a worker say about its calls, and how do several threads say it on one lane?

Replies, items, progress and callbacks, each one whole frame. A value that cannot be sent fails
before anything is written.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from caduceus._batch_reply import BatchReply
from caduceus._errors import BridgeError, error_object
from caduceus._frames import (
    HEADER_BYTES_MAX,
    encode_frame,
    encode_json,
    encode_message,
    excess_of,
)
from caduceus._values import encode_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caduceus._context import CallContext
    from caduceus._interrupts import InterruptGate
    from caduceus._lanes import Lane
    from caduceus._values import EncodedValue

    Parts = Sequence[bytes | memoryview]

_BRIEF_CHARACTERS_MAX = 1_000
_LENGTHS_BYTES = 8


class Outbox:
    """The replies lane.

    Parameters
    ----------
    lane : Lane
        Where frames are written.
    gate : InterruptGate
        Keeps a signal from cutting a frame in two.
    bridge_name : str
        Named in every reply.
    frame_bytes_max : int
        The longest body of a frame, in bytes.

    Attributes
    ----------
    write : callable
        Writes one frame; called by one thread at a time.
    """

    def __init__(
        self, lane: Lane, gate: InterruptGate, bridge_name: str, frame_bytes_max: int
    ) -> None:
        self.write: Callable[[Parts], None] = lane.send
        self._gate = gate
        self._bridge_name = bridge_name
        self._frame_bytes_max = frame_bytes_max
        self._short_bytes = min(frame_bytes_max, HEADER_BYTES_MAX)
        self._lock = threading.Lock()
        named = f'{{"type":"reply","bridge":{encode_json(bridge_name)},"ok":true,"id":'
        self._reply_head = named

    def send(self, parts: Parts) -> None:
        """Write one frame, all of it; from any thread.

        Parameters
        ----------
        parts : sequence of bytes or memoryview
            From one of the methods below.

        Raises
        ------
        OSError
            If the lane is broken.
        """
        with self._gate, self._lock:
            self.write(parts)

    def send_between(self, parts: Parts) -> None:
        """Do what `send` does where no interrupt can be raised anyway: between two handlers.

        Parameters
        ----------
        parts : sequence of bytes or memoryview
            As for `send`.

        Raises
        ------
        OSError
            If the lane is broken.
        """
        with self._lock:
            self.write(parts)

    def reply(self, call: CallContext, result: object) -> Parts:
        """Return the frame of a reply with a result.

        Parameters
        ----------
        call : CallContext
            What is answered.
        result : object
            What the handler gave.

        Returns
        -------
        sequence of bytes or memoryview
            For `send`.

        Raises
        ------
        BridgeError
            With code ``unencodable``.
        """
        return self._coded(f"{self._reply_head}{call.call_id}", "result", result, "result")

    def batch_reply_of(self, count: int) -> BatchReply:
        """Return what collects `count` outcomes for `batch_reply`."""
        return BatchReply(count, self._frame_bytes_max)

    def batch_reply(self, call: CallContext, reply: BatchReply) -> Parts:
        """Return the frame of a reply to a batch.

        Parameters
        ----------
        call : CallContext
            What is answered.
        reply : BatchReply
            All outcomes.

        Returns
        -------
        sequence of bytes or memoryview
            For `send`.

        Raises
        ------
        BridgeError
            With code ``unencodable``, if not even brief errors fit into a frame.
        """
        head = f"{self._reply_head}{call.call_id}"
        return self._framed(head, "result", reply.encoded(), "result")

    def failure(self, call_id: int, error: BaseException, *, code: str | None = None) -> Parts:
        """Return the frame of a reply with an error. This never fails.

        Parameters
        ----------
        call_id : int
            What is answered.
        error : BaseException
            What was raised.
        code : str, optional
            Instead of the code that the error itself has.

        Returns
        -------
        sequence of bytes or memoryview
            For `send`.
        """
        described = error_object(error)
        if code is not None:
            described["code"] = code
        parts = self._failure_frame(call_id, described)
        if len(parts[0]) - _LENGTHS_BYTES > self._frame_bytes_max:
            # A small frame limit and a long chain of causes: the essence fits always.
            brief = {
                "type": described["type"][:_BRIEF_CHARACTERS_MAX],
                "message": described["message"][:_BRIEF_CHARACTERS_MAX],
                "traceback": "",
                "code": described["code"],
            }
            parts = self._failure_frame(call_id, brief)
        return parts

    def send_item(self, call: CallContext, number: int, value: object) -> None:
        """Send one value of a stream.

        Parameters
        ----------
        call : CallContext
            The call that has the credit for it.
        number : int
            Counted from 0.
        value : object
            The value.

        Raises
        ------
        BridgeError
            With code ``unencodable``.
        OSError
            If the lane is broken.
        """
        head = f'{{"type":"item","id":{call.call_id},"seq":{number}'
        self.send(self._coded(head, "value", value, f"item[{number}]"))

    def send_progress(self, call: CallContext, value: object) -> None:
        """Send one progress message.

        Parameters
        ----------
        call : CallContext
            The call that progresses.
        value : object
            What its handler says.

        Raises
        ------
        BridgeError
            With code ``unencodable``.
        OSError
            If the lane is broken.
        """
        head = f'{{"type":"progress","id":{call.call_id}'
        self.send(self._coded(head, "value", value, "progress"))

    def callback(
        self, call: CallContext, number: int, name: str, args: object, timeout_ms: float | None
    ) -> Parts:
        """Return the frame of a callback.

        Parameters
        ----------
        call : CallContext
            The call that makes it.
        number : int
            Never used twice.
        name : str
            What Node has registered the function as.
        args : object
            Its argument.
        timeout_ms : float or None
            How long the call waits.

        Returns
        -------
        sequence of bytes or memoryview
            For `send`.

        Raises
        ------
        BridgeError
            With code ``unencodable``.
        """
        head = (
            f'{{"type":"callback","id":{call.call_id},"callback":{number},'
            f'"name":{encode_json(name)},"timeoutMs":{encode_json(timeout_ms)}'
        )
        return self._coded(head, "args", args, "args")

    def _coded(self, head: str, field: str, value: object, root: str) -> Parts:
        return self._framed(head, field, encode_value(value, root), root)

    def _framed(self, head: str, field: str, encoded: EncodedValue, root: str) -> Parts:
        try:
            parts = encode_message(head, field, encoded)
        except ValueError as error:
            raise BridgeError(f"{root}: {error}", code="unencodable") from None
        # One short part is the ordinary case, and needs no sum.
        if len(parts) > 1 or len(parts[0]) > self._short_bytes:
            excess = excess_of(parts, self._frame_bytes_max)
            if excess is not None:
                raise BridgeError(f"{root}: {excess}", code="unencodable")
        return parts

    def _failure_frame(self, call_id: int, described: dict[str, Any]) -> list[bytes]:
        return [
            encode_frame(
                {
                    "type": "reply",
                    "id": call_id,
                    "bridge": self._bridge_name,
                    "ok": False,
                    "error": described,
                }
            )
        ]
