"""How do messages become bytes on a lane, and bytes become messages again?

Sans I/O: nothing here touches a descriptor. `docs/protocol.md` §2 is the norm. What a value inside
a message may be is `_values.py`'s question; who reads and writes is `_lanes.py`'s.
"""

from __future__ import annotations

import json
import struct
from typing import Any, NoReturn

FRAME_BYTES_MAX = 64 * 1024 * 1024
"""The limit of one frame's body, in bytes, until ``welcome`` says otherwise."""

_BODY_BYTES_MIN = 2  # the shortest JSON object is "{}"
_LENGTHS = struct.Struct(">II")

# One encoder for the life of the process: `json.dumps` with these arguments would build one for
# every call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


class FrameError(Exception):
    """The bytes of a lane are not the protocol's; the message says what was found.

    There is no way back from it: after one wrong byte nothing later in the stream can be trusted.
    """


def _refuse_constant(name: str) -> NoReturn:
    raise FrameError(f"invalid JSON: {name} is not a JSON value")


# Python's parser takes NaN and Infinity unless it is told not to.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def encode_json(value: object) -> str:
    """Return `value` as compact JSON text that is safe to encode as UTF-8.

    Parameters
    ----------
    value : object
        Anything that `json` can encode.

    Returns
    -------
    str
        The text. A string that holds half of a surrogate pair is written with escapes, so that it
        arrives in JavaScript, where such strings exist, as it was.

    Raises
    ------
    ValueError
        For NaN, an infinity or a cycle.
    TypeError
        For an object without a JSON form.
    RecursionError
        For nesting beyond the interpreter's own limit.
    """
    text = _ENCODER.encode(value)
    # Whether a string has surrogates is known only by encoding it, and ASCII text (the usual case)
    # needs no look.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _ASCII_ENCODER.encode(value)
    return text


def frame_from_json(text: str) -> bytes:
    """Return the frame whose header is the JSON object `text`.

    Parameters
    ----------
    text : str
        JSON text of an object, as made by `encode_json`.

    Returns
    -------
    bytes
        The whole frame, lengths included.
    """
    body = text.encode()
    return _LENGTHS.pack(len(body), len(body)) + body


def encode_frame(header: dict[str, Any]) -> bytes:
    """Return the frame that carries `header`.

    Parameters
    ----------
    header : dict of str to Any
        The message. It must be encodable; see `encode_json` for what is raised otherwise.

    Returns
    -------
    bytes
        The whole frame, lengths included.
    """
    return frame_from_json(encode_json(header))


class FrameDecoder:
    """Turn the bytes of one lane into messages, whatever the chunks they come in.

    Parameters
    ----------
    frame_bytes_max : int, default 67108864
        The longest body, in bytes, that is accepted. A longer one is refused when its length is
        read, before memory for it is taken.
    """

    __slots__ = ("_buffer", "frame_bytes_max")

    def __init__(self, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()

    @property
    def is_between_frames(self) -> bool:
        """Whether a stream that ended now would have ended cleanly."""
        return not self._buffer

    def receive_bytes(self, data: bytes) -> list[dict[str, Any]]:
        """Take the next bytes of the lane and return the messages that they complete.

        Parameters
        ----------
        data : bytes
            Any number of bytes: a part of a frame, one frame, or several.

        Returns
        -------
        list of dict
            The headers of the frames completed, in order.

        Raises
        ------
        FrameError
            If a length is out of bounds, a segment is announced, or a body is not a JSON object.
        """
        if not self._buffer and len(data) >= _LENGTHS.size:
            # The fast path: one read delivered exactly one frame, which needs no copy.
            end = _LENGTHS.size + self._body_bytes(data, 0)
            if end == len(data):
                return [_decode_header(data[_LENGTHS.size :])]
        self._buffer += data
        return self._drain()

    def _drain(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        buffer = self._buffer
        offset = 0
        while len(buffer) - offset >= _LENGTHS.size:
            end = offset + _LENGTHS.size + self._body_bytes(buffer, offset)
            if len(buffer) < end:
                break
            messages.append(_decode_header(bytes(buffer[offset + _LENGTHS.size : end])))
            offset = end
        # Once per read, not once per frame: removing the front of a bytearray moves the rest.
        del buffer[:offset]
        return messages

    def _body_bytes(self, data: bytes | bytearray, offset: int) -> int:
        body_bytes: int
        header_bytes: int
        body_bytes, header_bytes = _LENGTHS.unpack_from(data, offset)
        if body_bytes > self.frame_bytes_max:
            raise FrameError(
                f"frame too long: a body of {body_bytes} bytes, the limit is {self.frame_bytes_max}"
            )
        if body_bytes < _BODY_BYTES_MIN:
            raise FrameError(
                f"frame too short: a body of {body_bytes} bytes, at least {_BODY_BYTES_MIN} needed"
            )
        if header_bytes != body_bytes:
            raise FrameError(
                f"unexpected segments: a header of {header_bytes} bytes in a body of {body_bytes}"
            )
        return body_bytes


def _decode_header(body: bytes) -> dict[str, Any]:
    try:
        header = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise FrameError(f"invalid UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise FrameError(f"invalid JSON: {error}") from error
    if type(header) is not dict:
        raise FrameError(f"the header is not an object but a {type(header).__name__}")
    return header
