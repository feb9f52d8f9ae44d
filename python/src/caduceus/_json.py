"""What is JSON for both sides, and what do they refuse to call so?

Python's parser and writer are laxer and narrower than JavaScript's; here they agree.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

# What a value of the deepest nesting that is allowed needs of the interpreter's own limit, which a
# handler may have used up before it waits for an answer.
_DECODER_DEPTH = 1_100

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


def decode_header(body: bytes | memoryview) -> dict[str, Any]:
    """Return the JSON object of a frame.

    Parameters
    ----------
    body : bytes or memoryview
        UTF-8 text.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    FrameError
        If it is not UTF-8, not JSON or not an object.
    """
    try:
        header = _decode_json(str(body, "utf-8"))
    except UnicodeDecodeError as error:
        raise FrameError(f"invalid UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise FrameError(f"invalid JSON: {error}") from error
    if type(header) is not dict:
        raise FrameError(f"the header is not an object but a {type(header).__name__}")
    return header


def _decode_json(text: str) -> Any:  # noqa: ANN401 - whatever the text says
    try:
        return _DECODER.decode(text)
    except RecursionError:
        # A handler that waits for an answer may stand deep in the stack: that is not the answer's
        # fault.
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + _DECODER_DEPTH)
        try:
            return _DECODER.decode(text)
        finally:
            sys.setrecursionlimit(limit)
