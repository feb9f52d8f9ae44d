"""What does Python make of what Node sends, with nothing but the codec in between?

A program that is driven over its standard input and output, in frames. It answers each message:

``echo``
    with the same value, decoded and encoded again, or with what was wrong.
``give``
    with the arbitrary value of a seed.
``judge``
    with whether a value is equal to the arbitrary value of that seed.
``decode``
    with what became of a stream of bytes, which comes in chunks: how many messages, and whether it
    was refused.
"""

from __future__ import annotations

import os
import random
import sys
from typing import Any

if "--without-numpy" in sys.argv:
    # What `import` finds here is that there is no such module.
    sys.modules["numpy"] = None  # type: ignore[assignment]

from arbitrary_values import arbitrary_value
from caduceus._errors import BridgeError
from caduceus._frames import FrameDecoder, FrameError, encode_message
from caduceus._values import decode_value, encode_value
from equality import are_equal

_READ_BYTES = 64 * 1024


def main() -> None:
    """Answer until the end of the input."""
    if hasattr(sys, "set_int_max_str_digits"):
        # For what is said of a value that is not equal.
        sys.set_int_max_str_digits(0)
    decoder = FrameDecoder()
    while data := os.read(0, _READ_BYTES):
        for header, segments in decoder.receive_bytes(data):
            _write(*_answer(header, segments))


def _answer(header: dict[str, Any], segments: Any) -> tuple[str, object]:  # noqa: ANN401
    try:
        value = decode_value(header["value"], header.get("tagged", False), segments)
    except FrameError as error:
        return "malformed", str(error)
    except BridgeError as error:
        return "refused", error.code
    match header["type"]:
        case "echo":
            return "value", value
        case "give":
            return "value", arbitrary_value(random.Random(header["seed"]))
        case "judge":
            sent = arbitrary_value(random.Random(header["seed"]))
            return "value", "equal" if are_equal(sent, value) else f"{sent!r:.2000}"
        case "decode":
            return "value", _verdict(value)
    raise AssertionError(f"unknown message {header['type']!r}")


def _verdict(chunks: list[bytes]) -> dict[str, object]:
    decoder = FrameDecoder(frame_bytes_max=1 << 20)
    count = 0
    try:
        for chunk in chunks:
            for header, segments in decoder.receive_bytes(chunk):
                decode_value(header.get("value"), header.get("tagged") is True, segments)
                count += 1
    except FrameError as error:
        return {"refused": True, "count": count, "finding": str(error)[:200]}
    return {"refused": False, "count": count, "finding": None}


def _write(kind: str, value: object) -> None:
    for part in encode_message(f'{{"type":"{kind}"', "value", encode_value(value)):
        view = memoryview(part)
        while view:
            view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
