from __future__ import annotations

import random
import struct
import tracemalloc
from typing import Any

import pytest

from caduceus._errors import BridgeError
from caduceus._frames import FrameDecoder, FrameError, encode_message
from caduceus._values import decode_value, encode_value
from neutral import read_vectors

LIMIT = 1 << 20
SEEDS = range(60)
MUTATIONS_PER_SEED = 25


def _streams(rng: random.Random) -> bytes:
    """Give a stream of some valid messages, with every kind of value in them."""
    frames = [bytes.fromhex(one["hex"]) for one in read_vectors("frames.json")["valid"]]
    values = [
        [1, "é", None, {"a": float("nan")}],
        {"$": 2**70, "rows": [b"abc", b"", bytes(200)]},
        [memoryview(bytes(48)).cast("d", (2, 3))],
    ]
    frames += [b"".join(encode_message('{"n":1', "value", encode_value(one))) for one in values]
    return b"".join(rng.choices(frames, k=rng.randint(1, 5)))


def _mutated(rng: random.Random, stream: bytes) -> bytes:
    data = bytearray(stream)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and place < len(data):
            data[place] = rng.randrange(256)
        elif kind == 1:
            data[place:place] = rng.randbytes(rng.randint(1, 9))
        elif kind == 2:
            del data[place : place + rng.randint(1, 9)]
        elif len(data) > 8:
            # Bytes of JSON, which lead further in than any others.
            data[place:place] = bytes(rng.choices(b'{}[]",:$0123456789-.eE\\u', k=3))
    return bytes(data)


def _cut(rng: random.Random, data: bytes) -> list[bytes]:
    places = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(0, 8)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def _outcome(chunks: list[bytes], into_space: bool) -> tuple[list[Any], str | None]:
    """Decode, and give what came out before the first error, and that error."""
    decoder = FrameDecoder(LIMIT)
    found: list[Any] = []
    try:
        for chunk in chunks:
            rest = chunk
            space = decoder.space
            if into_space and space is not None:
                count = min(len(space), len(rest))
                space[:count] = rest[:count]
                message = decoder.filled(count)
                rest = rest[count:]
                if message is not None:
                    found.append(_read(message))
            found.extend(_read(message) for message in decoder.receive_bytes(rest))
    except FrameError as error:
        return found, str(error)
    return found, None


def _read(message: Any) -> str:  # noqa: ANN401
    header, segments = message
    raw = [bytes(one) for one in segments]
    try:
        value = decode_value(header.get("value"), header.get("tagged") is True, segments)
    except (FrameError, BridgeError) as error:
        value = str(error)
    return f"{header!r} {raw!r} {value!r}"


@pytest.mark.parametrize("seed", SEEDS)
def test_any_stream_gives_messages_or_a_frame_error_whatever_its_chunks(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(MUTATIONS_PER_SEED):
        data = _mutated(rng, _streams(rng)) if rng.random() < 0.9 else rng.randbytes(64)
        whole = _outcome([data], into_space=False)
        pieces = _outcome(_cut(rng, data), into_space=rng.random() < 0.5)
        # In one piece an error hides the messages of the same read.
        assert pieces[1] == whole[1]
        assert pieces[0][: len(whole[0])] == whole[0]
        single = _outcome([data[at : at + 1] for at in range(len(data))], into_space=False)
        assert single[1] == whole[1]
        assert len(single[0]) >= len(pieces[0])


@pytest.mark.parametrize("lengths", [(2**32 - 1, 2), (LIMIT + 1, LIMIT + 1), (LIMIT, 2**31)])
def test_an_announced_length_over_the_limit_takes_no_memory(lengths: tuple[int, int]) -> None:
    tracemalloc.start()
    try:
        for _ in range(100):
            with pytest.raises(FrameError):
                FrameDecoder(LIMIT).receive_bytes(struct.pack(">II", *lengths) + b"{")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < LIMIT


def test_one_frame_takes_its_own_length_and_no_more() -> None:
    frame_bytes = 8 * LIMIT
    frame = b"".join(encode_message('{"n":1', "value", encode_value(bytes(frame_bytes))))
    chunks = [frame[at : at + 65_536] for at in range(0, len(frame), 65_536)]
    decoder = FrameDecoder()
    tracemalloc.start()
    try:
        messages = [message for chunk in chunks for message in decoder.receive_bytes(chunk)]
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(messages) == 1
    assert frame_bytes <= peak_bytes < frame_bytes + LIMIT


def test_a_frame_in_very_many_chunks_is_not_copied_for_each() -> None:
    # 4 MiB in 64-byte pieces: copied for each it would be 128 GiB.
    frame = b"".join(encode_message('{"n":1', "value", encode_value(bytes(4 * LIMIT))))
    decoder = FrameDecoder()
    count = 0
    for at in range(0, len(frame), 64):
        count += len(decoder.receive_bytes(frame[at : at + 64]))
    assert count == 1
