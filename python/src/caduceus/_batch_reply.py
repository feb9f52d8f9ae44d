"""How do the outcomes of many calls become the one value of a reply that fits into a frame?

Each is encoded by itself, so that what cannot be sent fails its own call only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError, error_object
from caduceus._frames import HEADER_BYTES_MAX, SEGMENTS_MAX, encode_json
from caduceus._values import EncodedValue, encode_value

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD_BYTES = 1_024
"""For the fields of a reply around its result."""

_OUTCOME_BYTES_MIN = 512
"""Kept free for each outcome that is still to come: an error that says only that it did not fit."""

_BRIEF_CHARACTERS_MAX = 50
_LENGTH_BYTES_MAX = 11  # of one segment in the header: ten digits and a comma
_PADDING_BYTES_MAX = 7


class BatchReply:
    """The outcomes of one batch, in the order of its calls.

    Parameters
    ----------
    count : int
        How many there are going to be.
    frame_bytes_max : int
        The longest body of a frame, in bytes.
    """

    def __init__(self, count: int, frame_bytes_max: int) -> None:
        self._left = count
        self._frame_bytes_max = frame_bytes_max
        self._header_room = min(frame_bytes_max, HEADER_BYTES_MAX) - _HEAD_BYTES
        self._body_room = frame_bytes_max - _HEAD_BYTES
        self._texts: list[str] = []
        self._segments: list[memoryview] = []
        self._tagged = False

    def add_result(self, result: object, *, is_kept: bool) -> None:
        """Add what a call gave; what cannot be sent becomes its error.

        Parameters
        ----------
        result : object
            Any value.
        is_kept : bool
            Whether its memory stays as it is until the reply is written. Else it is copied.

        Raises
        ------
        BridgeError
            With code ``unencodable``, and nothing added.
        """
        encoded = encode_value(result, "result", first_segment=len(self._segments))
        text = f'{{"ok":true,"result":{encoded.text}}}'
        if not self._has_room_for(text, encoded.segments):
            raise BridgeError(
                "result: with those of its batch before it, it does not fit into a frame of "
                f"{self._frame_bytes_max} bytes; ask for smaller batches",
                code="unencodable",
            )
        segments = encoded.segments
        if not is_kept:
            segments = tuple([memoryview(bytes(segment)) for segment in segments])
        self._segments.extend(segments)
        self._tagged = self._tagged or encoded.tagged
        self._add(text, segments)

    def add_error(self, error: BaseException, code: str | None = None) -> None:
        """Add what a call failed with; what does not fit is told briefly.

        Parameters
        ----------
        error : BaseException
            What was raised, or returned in the place of a result.
        code : str, optional
            Instead of the code that the error itself has.
        """
        described = error_object(error)
        if code is not None:
            described["code"] = code
        text = _failure(described)
        if not self._has_room_for(text, ()):
            text = _failure(
                {
                    "type": _brief(described["type"]),
                    "message": "the error does not fit into the reply of its batch",
                    "traceback": "",
                    "code": _brief(described["code"]),
                }
            )
        self._add(text, ())

    def encoded(self) -> EncodedValue:
        """Return the list of all outcomes as the value of the reply."""
        return EncodedValue(f"[{','.join(self._texts)}]", self._tagged, tuple(self._segments))

    def _has_room_for(self, text: str, segments: Sequence[memoryview]) -> bool:
        if len(self._segments) + len(segments) > SEGMENTS_MAX:
            return False
        header_bytes, body_bytes = _sizes(text, segments)
        kept = (self._left - 1) * _OUTCOME_BYTES_MIN
        return header_bytes <= self._header_room - kept and body_bytes <= self._body_room - kept

    def _add(self, text: str, segments: Sequence[memoryview]) -> None:
        header_bytes, body_bytes = _sizes(text, segments)
        self._header_room -= header_bytes
        self._body_room -= body_bytes
        self._left -= 1
        self._texts.append(text)


def _sizes(text: str, segments: Sequence[memoryview]) -> tuple[int, int]:
    """Return how much an outcome takes of the header and of the body, at most."""
    text_bytes = len(text) if text.isascii() else len(text.encode())
    header_bytes = text_bytes + 1 + _LENGTH_BYTES_MAX * len(segments)
    return header_bytes, header_bytes + sum(
        [segment.nbytes + _PADDING_BYTES_MAX for segment in segments]
    )


def _failure(described: dict[str, Any]) -> str:
    return f'{{"ok":false,"error":{encode_json(described)}}}'


def _brief(text: str) -> str:
    return text[:_BRIEF_CHARACTERS_MAX]
