"""What is JSON for both sides, and what do they refuse to call so?

Python's parser and writer are laxer and narrower than JavaScript's; here they agree.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

# What a value of the deepest nesting that is allowed needs of the interpreter's own limit, which a
# handler may have used up before it waits for an answer.
_DECODER_DEPTH = 1_100

_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
)
_ASCII_ENCODER = json.JSONEncoder(
    ensure_ascii=True, allow_nan=False, check_circular=False, separators=(",", ":")
)


class FrameError(Exception):
    """The bytes of a lane are not the protocol's; the message says what was found.

    There is no way back from it: after one wrong byte nothing later in the stream can be trusted.
    """


def _refuse_constant(name: str) -> NoReturn:
    raise FrameError(f"invalid JSON: {name} is not a JSON value")


# Python's parser takes NaN and Infinity unless it is told not to.
_DECODER: Any = json.JSONDecoder(parse_constant=_refuse_constant)


def _make_writer() -> Callable[[object], str]:
    """Return what `_ENCODER.encode` does, made once: by itself it makes a writer for every call.

    That is half of what a small message costs. A cycle ends at the interpreter's recursion limit.
    """
    make = getattr(json.encoder, "c_make_encoder", None)
    escape = getattr(json.encoder, "c_encode_basestring", None)
    if make is None or escape is None:
        # Not CPython.
        return _ENCODER.encode
    try:
        write = make(None, _ENCODER.default, escape, None, ":", ",", False, False, False)
        if "".join(write({"a": [1, None]}, 0)) != '{"a":[1,null]}':
            return _ENCODER.encode
    except TypeError:
        # A CPython whose private function has other parameters.
        return _ENCODER.encode
    join = "".join
    return lambda value: join(write(value, 0))


_write = _make_writer()
_scan = _DECODER.scan_once


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
        For NaN or an infinity.
    TypeError
        For an object without a JSON form.
    RecursionError
        For a cycle, and nesting beyond the interpreter's own limit.
    """
    text = _write(value)
    # Whether a string has surrogates is known only by encoding it, and ASCII text (the usual case)
    # needs no look.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _ASCII_ENCODER.encode(value)
    return text


def whole_number(value: object) -> int | None:
    """Return a number of JSON as an int, if it is a whole one.

    Parameters
    ----------
    value : object
        What the parser made of it. ``1.0`` is ``1``: in JavaScript they are one number.

    Returns
    -------
    int or None
        None for everything else.
    """
    if type(value) is int:
        return value
    return int(value) if type(value) is float and value.is_integer() else None


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
        # What `decode` does, without its search for white space that nobody sends.
        value, end = _scan(text, 0)
        return value if end == len(text) else _DECODER.decode(text)
    except StopIteration:
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
