"""How do bytes in chunks of any size become messages again?

Sans I/O. `docs/protocol.md` §2 is the norm; sizes are judged before memory is taken.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from caduceus._json import FrameError, decode_header, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

FRAME_BYTES_MAX = 256 * 1024 * 1024
"""The limit of one frame's body, in bytes, until ``welcome`` says otherwise."""

HEADER_BYTES_MAX = 64 * 1024 * 1024
"""The limit of a frame's JSON, in bytes."""

SEGMENTS_MAX = 65_536
"""How many segments a frame may have: each is a view of its memory."""

ALIGNMENT_BYTES = 8
"""Segments start at multiples of this, counted from the start of the frame."""

LENGTHS = struct.Struct(">II")
"""What a frame begins with: the bytes of the body, and those of the header in it."""

_HEADER_BYTES_MIN = 2  # the shortest JSON object is "{}"
_PREFIX_BYTES = LENGTHS.size

# From here on a frame is received into memory of its own, without a copy; below, one more copy
# costs less than one more system call.
_LARGE_FRAME_BYTES = 64 * 1024

Message = tuple[dict[str, Any], "Sequence[memoryview]"]
"""A header, and the segments behind it: writable views of memory that nothing else uses."""


_NO_SEGMENTS: tuple[memoryview, ...] = ()


class FrameDecoder:
    """Turn the bytes of one lane into messages, whatever the chunks they come in.

    Whoever can receive into given memory does so while `space` is not None, and says how much with
    `filled`; all other bytes come through `receive_bytes`, and may do so always.

    Parameters
    ----------
    frame_bytes_max : int, default 268435456
        The longest body, in bytes, that is accepted. A longer one is refused when its length is
        read, before memory for it is taken.
    """

    __slots__ = ("_buffer", "_filled_bytes", "_large", "frame_bytes_max")

    def __init__(self, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()
        # A frame on its way that is too long for the buffer, and how much of it is there.
        self._large: bytearray | None = None
        self._filled_bytes = 0

    @property
    def is_between_frames(self) -> bool:
        """Whether a stream that ended now would have ended cleanly."""
        return not self._buffer and self._large is None

    @property
    def space(self) -> memoryview | None:
        """Where the next bytes of the lane belong, if a large frame is on its way."""
        if self._large is None:
            return None
        return memoryview(self._large)[self._filled_bytes :]

    def filled(self, byte_count: int) -> Message | None:
        """Take the next bytes of the lane, which have been received into `space`.

        Parameters
        ----------
        byte_count : int
            How many, from the start of `space` on.

        Returns
        -------
        tuple of dict and sequence of memoryview, or None
            The message, when it is complete.

        Raises
        ------
        FrameError
            If the message is not the protocol's.
        """
        large = self._large
        if large is None:
            raise RuntimeError("no large frame is on its way")
        self._filled_bytes += byte_count
        if self._filled_bytes < len(large):
            return None
        self._large = None
        return _read_frame(large, memoryview(large))

    def receive_bytes(self, data: bytes) -> list[Message]:
        """Take the next bytes of the lane and return the messages that they complete.

        Parameters
        ----------
        data : bytes
            Any number of bytes: a part of a frame, one frame, or several.

        Returns
        -------
        list of tuple of dict and sequence of memoryview
            The headers of the frames completed, in order, each with its segments.

        Raises
        ------
        FrameError
            If a length is out of bounds, segments do not add up, or a header is not a JSON object.
        """
        if not self._buffer and self._large is None and len(data) >= _PREFIX_BYTES:
            # The fast path: one read delivered exactly one frame, which needs no copy.
            body_bytes, header_bytes = self._lengths(data, 0)
            if body_bytes == header_bytes and _PREFIX_BYTES + body_bytes == len(data):
                return [_read_header_only(data[_PREFIX_BYTES:])]
        messages: list[Message] = []
        taken = 0
        if self._large is not None:
            taken = self._fill_large(data, messages)
        self._buffer += data[taken:] if taken else data
        self._drain(messages)
        return messages

    def _fill_large(self, data: bytes, messages: list[Message]) -> int:
        space = self.space
        if space is None:
            return 0
        count = min(len(data), len(space))
        space[:count] = data[:count]
        space.release()
        message = self.filled(count)
        if message is not None:
            messages.append(message)
        return count

    def _drain(self, messages: list[Message]) -> None:
        buffer = self._buffer
        offset = 0
        while len(buffer) - offset >= _PREFIX_BYTES:
            body_bytes, header_bytes = self._lengths(buffer, offset)
            end = offset + _PREFIX_BYTES + body_bytes
            if len(buffer) < end:
                if end - offset > _LARGE_FRAME_BYTES:
                    self._begin_large(offset, end - offset)
                    return
                break
            if body_bytes == header_bytes:
                messages.append(_read_header_only(bytes(buffer[offset + _PREFIX_BYTES : end])))
            else:
                frame = buffer[offset:end]
                messages.append(_read_frame(frame, memoryview(frame)))
            offset = end
        # Once per read, not once per frame: removing the front of a bytearray moves the rest.
        del buffer[:offset]

    def _begin_large(self, offset: int, frame_bytes: int) -> None:
        large = bytearray(frame_bytes)
        begun = len(self._buffer) - offset
        large[:begun] = self._buffer[offset:]
        self._large, self._filled_bytes = large, begun
        self._buffer.clear()

    def _lengths(self, data: bytes | bytearray, offset: int) -> tuple[int, int]:
        body_bytes: int
        header_bytes: int
        body_bytes, header_bytes = LENGTHS.unpack_from(data, offset)
        if body_bytes > self.frame_bytes_max:
            raise FrameError(
                f"frame too long: a body of {body_bytes} bytes, the limit is {self.frame_bytes_max}"
            )
        if header_bytes > HEADER_BYTES_MAX:
            raise FrameError(
                f"header too long: {header_bytes} bytes, the limit is {HEADER_BYTES_MAX}"
            )
        if header_bytes < _HEADER_BYTES_MIN:
            raise FrameError(
                f"header too short: {header_bytes} bytes, at least {_HEADER_BYTES_MIN} needed"
            )
        if header_bytes > body_bytes:
            raise FrameError(f"a header of {header_bytes} bytes in a body of {body_bytes}")
        return body_bytes, header_bytes


def _read_header_only(body: bytes) -> Message:
    header = decode_header(body)
    if "segments" in header:
        # An empty list is odd but true; anything else lies.
        return header, _read_segments(memoryview(bytearray()), 0, header["segments"])
    return header, _NO_SEGMENTS


def _read_frame(frame: bytearray, view: memoryview) -> Message:
    header_end = _PREFIX_BYTES + LENGTHS.unpack_from(frame)[1]
    header = decode_header(view[_PREFIX_BYTES:header_end])
    if header_end == len(frame) and "segments" not in header:
        return header, _NO_SEGMENTS
    return header, _read_segments(view, header_end, header.get("segments"))


def _read_segments(frame: memoryview, header_end: int, lengths: object) -> Sequence[memoryview]:
    if type(lengths) is not list or len(lengths) > SEGMENTS_MAX:
        raise FrameError(f"segments are not a list of at most {SEGMENTS_MAX} lengths")
    segments: list[memoryview] = []
    end = header_end
    for listed in lengths:
        start = end + -end % ALIGNMENT_BYTES
        length = whole_number(listed)
        if length is None or length < 0:
            raise FrameError("the length of a segment is no length")
        if start + length > len(frame):
            raise FrameError(f"{len(lengths)} segments are longer than the body")
        if start > end and any(frame[end:start]):
            raise FrameError("padding that is not zero")
        end = start + length
        segments.append(frame[start:end])
    if end != len(frame):
        raise FrameError(f"{len(lengths)} segments end {len(frame) - end} bytes before the body")
    return segments
