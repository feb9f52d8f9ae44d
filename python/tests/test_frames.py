from __future__ import annotations

import struct
import sys
import threading
from typing import Any

import pytest

from caduceus._frames import (
    HEADER_BYTES_MAX,
    FrameDecoder,
    FrameError,
    encode_frame,
    encode_json,
    encode_message,
    excess_of,
    frame_bytes_of,
)
from caduceus._tagging import DEPTH_MAX
from caduceus._values import EncodedValue, decode_value, encode_value

MESSAGES: list[dict[str, Any]] = [
    {"type": "a", "n": 1},
    {},
    {"text": "grüße 🐍 \x00 \n"},
    {"deep": [[{"x": [None, True]}]]},
]
LARGE = bytes(range(256)) * 1024


def _raw(body: bytes, header_bytes: int | None = None) -> bytes:
    return struct.pack(">II", len(body), len(body) if header_bytes is None else header_bytes) + body


def _message(value: object) -> bytes:
    return b"".join(encode_message('{"type":"reply"', "result", encode_value(value)))


def _headers(decoder: FrameDecoder, data: bytes) -> list[dict[str, Any]]:
    return [header for header, _segments in decoder.receive_bytes(data)]


def test_a_frame_is_two_lengths_and_compact_json() -> None:
    body = '{"a":[1,"é"]}'.encode()
    assert encode_frame({"a": [1, "é"]}) == struct.pack(">II", len(body), len(body)) + body


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 8, 9, 50, 10_000])
def test_any_chunking_decodes_to_the_same_messages(chunk_bytes: int) -> None:
    stream = b"".join(encode_frame(message) for message in MESSAGES)
    decoder = FrameDecoder()
    decoded = []
    for start in range(0, len(stream), chunk_bytes):
        decoded += _headers(decoder, stream[start : start + chunk_bytes])
    assert decoded == MESSAGES
    assert decoder.is_between_frames


@pytest.mark.parametrize("chunk_bytes", [1_000, 65_536, 65_537, 10**6])
def test_large_frames_between_small_ones_decode_under_any_chunking(chunk_bytes: int) -> None:
    stream = encode_frame({"n": 1}) + _message([LARGE, b"x"]) + _message({"n": 2}) + _message(LARGE)
    decoder = FrameDecoder()
    messages = []
    for start in range(0, len(stream), chunk_bytes):
        messages += decoder.receive_bytes(stream[start : start + chunk_bytes])
    assert [[bytes(one) for one in segments] for _header, segments in messages] == [
        [],
        [LARGE, b"x"],
        [],
        [LARGE],
    ]
    assert decoder.is_between_frames


def test_the_rest_of_a_large_frame_is_received_where_it_will_stay() -> None:
    stream = _message(LARGE)
    decoder = FrameDecoder()
    assert decoder.receive_bytes(stream[:100]) == []
    space = decoder.space
    assert space is not None
    assert len(space) == len(stream) - 100
    space[:1000] = stream[100:1100]
    assert decoder.filled(1000) is None
    rest = decoder.space
    assert rest is not None
    rest[:] = stream[1100:]
    message = decoder.filled(len(rest))
    assert message is not None
    header, (segment,) = message
    assert segment == LARGE
    assert segment.obj is space.obj
    assert not segment.readonly
    assert decode_value(header["result"], header["tagged"], [segment]) == LARGE
    assert decoder.is_between_frames


def test_nothing_is_filled_while_no_large_frame_is_on_its_way() -> None:
    with pytest.raises(RuntimeError, match="no large frame"):
        FrameDecoder().filled(1)


@pytest.mark.parametrize("behind", [b"", encode_frame({"n": 1})])
def test_segments_can_be_written_to_and_are_nobody_elses(behind: bytes) -> None:
    data = _message(b"abc") + behind
    for chunks in ([data], [data[:9], data[9:]]):
        decoder = FrameDecoder()
        messages = [message for chunk in chunks for message in decoder.receive_bytes(chunk)]
        segment = messages[0][1][0]
        segment[0] = ord("X")
        assert bytes(segment) == b"Xbc"
        assert b"".join(chunks) == data


def test_a_started_frame_is_not_a_clean_end() -> None:
    for frame in (encode_frame({"a": 1}), _message(LARGE)):
        decoder = FrameDecoder()
        assert decoder.receive_bytes(frame[:-1]) == []
        assert not decoder.is_between_frames


def test_half_a_surrogate_pair_survives() -> None:
    assert _headers(FrameDecoder(), encode_frame({"s": "\ud83d!"})) == [{"s": "\ud83d!"}]


def test_a_length_is_refused_before_the_body_arrives() -> None:
    with pytest.raises(FrameError, match="4294967295 bytes, the limit is 268435456"):
        FrameDecoder().receive_bytes(struct.pack(">II", 2**32 - 1, 2**32 - 1))


def test_a_header_has_a_limit_of_its_own() -> None:
    too_long = HEADER_BYTES_MAX + 1
    with pytest.raises(FrameError, match=f"header too long: {too_long} bytes"):
        FrameDecoder().receive_bytes(struct.pack(">II", too_long, too_long))


def test_the_limit_itself_is_allowed() -> None:
    frame = encode_frame({"a": "xx"})
    assert _headers(FrameDecoder(len(frame) - 8), frame) == [{"a": "xx"}]
    with pytest.raises(FrameError, match="too long"):
        FrameDecoder(len(frame) - 9).receive_bytes(frame)


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (_raw(b""), "too short"),
        (_raw(b"{}", header_bytes=1), "too short"),
        (_raw(b"{}", header_bytes=3), "a header of 3 bytes in a body of 2"),
        (_raw(b"[]"), "not an object but a list"),
        (_raw(b"{,}"), "invalid JSON"),
        (_raw(b'{"a":NaN}'), "NaN is not a JSON value"),
        (_raw(b'{"a":-Infinity}'), "-Infinity is not a JSON value"),
        (_raw(b'{"a":"\xff"}'), "invalid UTF-8"),
        (_raw(b'{"a":' + b"[" * 200_000), "invalid JSON"),
        (_raw(b'{"a":' + b"9" * 5_000 + b"}"), "invalid JSON"),
        (_raw(b'{"segments":[' + b"0," * 65_536 + b"0]}"), "at most 65536 lengths"),
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


def test_a_message_of_the_deepest_value_is_read_deep_in_the_stack() -> None:
    deepest: Any = []
    for _ in range(DEPTH_MAX - 1):
        deepest = [deepest]
    frame = encode_frame({"value": deepest})
    limit = sys.getrecursionlimit()
    found: list[object] = []

    def descend(levels: int) -> None:
        if levels > 0:
            descend(levels - 1)
        else:
            found.extend(_headers(FrameDecoder(), frame))

    thread = threading.Thread(target=descend, args=(limit - 100,))
    thread.start()
    thread.join()
    assert found == [{"value": deepest}]
    assert sys.getrecursionlimit() == limit


def test_a_value_without_segments_is_one_part() -> None:
    assert encode_message('{"id":1', "result", EncodedValue("[1]")) == [
        encode_frame({"id": 1, "result": [1]})
    ]
    assert encode_message('{"id":1', "result", EncodedValue('{"$":"nan"}', tagged=True)) == [
        encode_frame({"id": 1, "result": {"$": "nan"}, "tagged": True})
    ]


def test_a_small_message_is_one_piece() -> None:
    assert len(encode_message('{"id":1', "result", encode_value(b"abc"))) == 1


def test_segments_of_a_large_message_are_the_values_own_memory() -> None:
    data = bytearray(100_000)
    parts = encode_message('{"id":1', "result", encode_value(data))
    assert any(isinstance(part, memoryview) and part.obj is data for part in parts)


def test_no_frame_is_over_4_gib() -> None:
    # One piece of memory many times: nothing is copied.
    piece = memoryview(bytearray(2**20))
    with pytest.raises(ValueError, match="over 4 GiB"):
        encode_message("{", "v", EncodedValue("1", tagged=True, segments=(piece,) * 4096))


def test_what_is_over_a_limit_is_said() -> None:
    parts = encode_message('{"id":1', "result", encode_value(bytes(100)))
    body_bytes = frame_bytes_of(parts) - 8
    assert excess_of(parts, body_bytes) is None
    assert excess_of(parts, body_bytes - 1) == (
        f"{body_bytes} bytes, more than the frame limit of {body_bytes - 1}"
    )
    long = encode_message('{"id":1', "result", EncodedValue('"' + "x" * HEADER_BYTES_MAX + '"'))
    assert "bytes as JSON, more than the limit" in str(excess_of(long, 2**28))


def test_a_failure_to_write_json_leaves_nothing_behind() -> None:
    cyclic: list[object] = [float("nan")]
    for _ in range(2):
        with pytest.raises(ValueError, match="not JSON compliant"):
            encode_json(cyclic)
    cyclic[0] = cyclic
    with pytest.raises(RecursionError):
        encode_json(cyclic)
    cyclic[0] = 1
    assert encode_json(cyclic) == "[1]"
