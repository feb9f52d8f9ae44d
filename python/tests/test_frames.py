from __future__ import annotations

import struct
from typing import Any

import pytest

from caduceus._frames import FrameDecoder, FrameError, encode_frame

MESSAGES: list[dict[str, Any]] = [
    {"type": "a", "n": 1},
    {},
    {"text": "grüße 🐍 \x00 \n"},
    {"deep": [[{"x": [None, True]}]]},
]


def _raw(body: bytes, header_bytes: int | None = None) -> bytes:
    return struct.pack(">II", len(body), len(body) if header_bytes is None else header_bytes) + body


def test_a_frame_is_two_lengths_and_compact_json() -> None:
    body = '{"a":[1,"é"]}'.encode()
    assert encode_frame({"a": [1, "é"]}) == struct.pack(">II", len(body), len(body)) + body


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 8, 9, 50, 10_000])
def test_any_chunking_decodes_to_the_same_messages(chunk_bytes: int) -> None:
    stream = b"".join(encode_frame(message) for message in MESSAGES)
    decoder = FrameDecoder()
    decoded = []
    for start in range(0, len(stream), chunk_bytes):
        decoded += decoder.receive_bytes(stream[start : start + chunk_bytes])
    assert decoded == MESSAGES
    assert decoder.is_between_frames


def test_a_started_frame_is_not_a_clean_end() -> None:
    decoder = FrameDecoder()
    assert decoder.receive_bytes(encode_frame({"a": 1})[:-1]) == []
    assert not decoder.is_between_frames


def test_half_a_surrogate_pair_survives() -> None:
    assert FrameDecoder().receive_bytes(encode_frame({"s": "\ud83d!"})) == [{"s": "\ud83d!"}]


def test_a_length_is_refused_before_the_body_arrives() -> None:
    with pytest.raises(FrameError, match="4294967295 bytes, the limit is 67108864"):
        FrameDecoder().receive_bytes(struct.pack(">II", 2**32 - 1, 2**32 - 1))


def test_the_limit_itself_is_allowed() -> None:
    frame = encode_frame({"a": "xx"})
    assert FrameDecoder(len(frame) - 8).receive_bytes(frame) == [{"a": "xx"}]
    with pytest.raises(FrameError, match="too long"):
        FrameDecoder(len(frame) - 9).receive_bytes(frame)


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (_raw(b""), "too short"),
        (_raw(b"{}", header_bytes=1), "segments"),
        (_raw(b"[]"), "not an object but a list"),
        (_raw(b"{,}"), "invalid JSON"),
        (_raw(b'{"a":NaN}'), "NaN is not a JSON value"),
        (_raw(b'{"a":-Infinity}'), "-Infinity is not a JSON value"),
        (_raw(b'{"a":"\xff"}'), "invalid UTF-8"),
        (_raw(b'{"a":' + b"[" * 200_000), "invalid JSON"),
    ],
)
def test_what_is_not_the_protocol_is_a_frame_error(data: bytes, finding: str) -> None:
    with pytest.raises(FrameError, match=finding):
        FrameDecoder().receive_bytes(data)
    # The same, when it comes in two pieces.
    decoder = FrameDecoder()
    with pytest.raises(FrameError, match=finding):
        for piece in (data[:5], data[5:]):
            decoder.receive_bytes(piece)
