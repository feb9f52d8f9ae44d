from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from caduceus._frames import (
    FrameDecoder,
    FrameError,
    encode_frame,
    encode_json,
    encode_message,
    frame_bytes_of,
)
from caduceus._values import EncodedValue, decode_value, encode_value
from equality import are_identical
from neutral import from_neutral, read_vectors, segments_of

FRAMES = read_vectors("frames.json")
VALUES = read_vectors("values.json")

FINDINGS = {
    "size": "bytes",
    "utf8": "invalid UTF-8",
    "json": "invalid JSON",
    "object": "not an object",
    "segments": "segment",
    "padding": "padding",
}


def _named(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[one["name"] for one in vectors])


def _decoded(data: bytes, chunk_bytes: int, decoder: FrameDecoder) -> list[dict[str, Any]]:
    found = []
    for start in range(0, len(data), chunk_bytes):
        for header, segments in decoder.receive_bytes(data[start : start + chunk_bytes]):
            found.append({"header": header, "segments": [bytes(one).hex() for one in segments]})
    return found


def _ordered(value: Any) -> Any:  # noqa: ANN401
    """Give a value of JSON in which the order of keys counts."""
    if isinstance(value, dict):
        return [(key, _ordered(child)) for key, child in value.items()]
    return [_ordered(child) for child in value] if isinstance(value, list) else repr(value)


@_named(FRAMES["valid"])
def test_a_valid_frame_is_read_whatever_its_chunks(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    for chunk_bytes in (1, 7, 8, len(data)):
        decoder = FrameDecoder()
        assert _decoded(data, chunk_bytes, decoder) == vector["messages"]
        assert decoder.is_between_frames


@_named([one for one in FRAMES["valid"] if one["isEncodedSo"]])
def test_a_frame_is_written_as_it_is_read(vector: dict[str, Any]) -> None:
    header, segments = vector["messages"][0]["header"], vector["messages"][0]["segments"]
    if "field" not in vector:
        assert encode_frame(header).hex() == vector["hex"]
        return
    field = vector["field"]
    head = {key: header[key] for key in header if key not in (field, "tagged", "segments")}
    encoded = EncodedValue(
        encode_json(header[field]), header.get("tagged", False), tuple(segments_of(segments))
    )
    parts = encode_message(encode_json(head)[:-1], field, encoded)
    assert b"".join(parts).hex() == vector["hex"]
    assert frame_bytes_of(parts) * 2 == len(vector["hex"])


@_named(FRAMES["malformed"])
def test_a_malformed_frame_is_refused_whatever_its_chunks(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    for chunk_bytes in (1, 7, 8, len(data)):
        decoder = FrameDecoder(vector.get("frameBytesMax", 2**28))
        with pytest.raises(FrameError, match=re.escape(FINDINGS[vector["error"]])):
            _decoded(data, chunk_bytes, decoder)


@_named(VALUES["values"])
def test_a_value_is_read_as_python(vector: dict[str, Any]) -> None:
    found = decode_value(
        copy.deepcopy(vector["json"]), vector["tagged"], segments_of(vector["segments"])
    )
    assert are_identical(from_neutral(vector["python"]), found)


@_named([one for one in VALUES["values"] if "python" in one["writtenBy"]])
def test_a_value_is_written_as_it_is_read(vector: dict[str, Any]) -> None:
    encoded = encode_value(from_neutral(vector["python"]))
    assert _ordered(json.loads(encoded.text)) == _ordered(vector["json"])
    assert encoded.tagged == vector["tagged"]
    assert [bytes(one).hex() for one in encoded.segments] == vector["segments"]


@_named(VALUES["malformed"])
def test_a_malformed_value_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError):
        decode_value(
            copy.deepcopy(vector["json"]), vector["tagged"], segments_of(vector["segments"])
        )
