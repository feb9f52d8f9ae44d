"""How do messages become bytes on a lane, and bytes become messages again?

Sans I/O: nothing here touches a descriptor. `docs/protocol.md` §2 is the norm. What a value inside
a message may be is `_values.py`'s question; who reads and writes is `_lanes.py`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caduceus._frame_decoder import (
    ALIGNMENT_BYTES,
    FRAME_BYTES_MAX,
    HEADER_BYTES_MAX,
    LENGTHS,
    SEGMENTS_MAX,
    FrameDecoder,
    Message,
)
from caduceus._json import FrameError, encode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caduceus._values import EncodedValue

__all__ = [
    "FRAME_BYTES_MAX",
    "HEADER_BYTES_MAX",
    "SEGMENTS_MAX",
    "FrameDecoder",
    "FrameError",
    "Message",
    "encode_frame",
    "encode_json",
    "encode_message",
    "excess_of",
    "frame_bytes_of",
    "frame_from_json",
]

_PREFIX_BYTES = LENGTHS.size
_PADDINGS = tuple(bytes(-offset % ALIGNMENT_BYTES) for offset in range(ALIGNMENT_BYTES))
_U32_MAX = 2**32 - 1
# Up to here a frame in one piece is written faster than in several.
_JOINED_BYTES_MAX = 32 * 1024


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

    Raises
    ------
    ValueError
        If the text is longer than any frame can be.
    """
    body = text.encode()
    if len(body) > _U32_MAX:
        raise ValueError(f"{len(body)} bytes, and no frame can have over 4 GiB")
    return LENGTHS.pack(len(body), len(body)) + body


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


def encode_message(head: str, field: str, encoded: EncodedValue) -> list[bytes | memoryview]:
    """Return what to write for a message with a coded value.

    Parameters
    ----------
    head : str
        JSON text of an object without its closing brace, such as ``{"type":"reply","id":17``.
    field : str
        The value's key, which needs no escapes.
    encoded : EncodedValue
        From `encode_value`. Its text is spliced, not encoded again: it may be large.

    Returns
    -------
    list of bytes or memoryview
        The parts to write, in order; one when the message is small. Segments of a large one are
        the value's own memory, not copies of it.

    Raises
    ------
    ValueError
        If the message is longer than any frame can be.
    """
    segments = encoded.segments
    if not encoded.tagged:
        return [frame_from_json(f'{head},"{field}":{encoded.text}}}')]
    if not segments:
        return [frame_from_json(f'{head},"{field}":{encoded.text},"tagged":true}}')]
    lengths = ",".join([str(segment.nbytes) for segment in segments])
    text = f'{head},"{field}":{encoded.text},"tagged":true,"segments":[{lengths}]}}'
    header = text.encode()
    parts: list[bytes | memoryview] = [b""]
    offset = _PREFIX_BYTES + len(header)
    for segment in segments:
        padding = _PADDINGS[offset % ALIGNMENT_BYTES]
        if padding:
            parts.append(padding)
        if segment.nbytes:
            parts.append(segment)
        offset += len(padding) + segment.nbytes
    if offset > _U32_MAX:
        raise ValueError(f"{offset} bytes, and no frame can have over 4 GiB")
    parts[0] = LENGTHS.pack(offset - _PREFIX_BYTES, len(header)) + header
    # Several parts cost the socket more than copying a few kilobytes into one.
    return [b"".join(parts)] if offset <= _JOINED_BYTES_MAX else parts


def frame_bytes_of(parts: Sequence[bytes | memoryview]) -> int:
    """Return how long the message of these parts is on the wire.

    Parameters
    ----------
    parts : sequence of bytes or memoryview
        From `encode_message`.

    Returns
    -------
    int
        Bytes, the eight of the lengths included.
    """
    return sum([memoryview(part).nbytes for part in parts])


def excess_of(parts: Sequence[bytes | memoryview], frame_bytes_max: int) -> str | None:
    """Say what about a message is over a limit.

    Parameters
    ----------
    parts : sequence of bytes or memoryview
        From `encode_message`.
    frame_bytes_max : int
        The limit of the body, in bytes.

    Returns
    -------
    str or None
        The finding, for the one who wanted to send it; None if there is none.
    """
    body_bytes = frame_bytes_of(parts) - _PREFIX_BYTES
    if body_bytes > frame_bytes_max:
        return f"{body_bytes} bytes, more than the frame limit of {frame_bytes_max}"
    header_bytes: int = LENGTHS.unpack_from(parts[0])[1]
    if header_bytes > HEADER_BYTES_MAX:
        return (
            f"{header_bytes} bytes as JSON, more than the limit of {HEADER_BYTES_MAX}; "
            "bytes and arrays are sent beside it"
        )
    return None
