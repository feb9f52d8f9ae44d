"""How do JSON with tags, and raw segments, become the value again?

`docs/protocol.md` §5 is the norm.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from caduceus._arrays import array_from
from caduceus._dtypes import ITEM_BYTES, checked_size_bytes, has_only_booleans
from caduceus._errors import BridgeError
from caduceus._instants import instant_from
from caduceus._json import FrameError, whole_number
from caduceus._tagging import DEPTH_MAX, INTEGER_HEX_DIGITS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    _Array = tuple[Any, Any, str, list[int], memoryview]

_FLOAT = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:e[+-]?[0-9]{1,3})?")
_INTEGER = re.compile(rf"-?0x[0-9a-f]{{1,{INTEGER_HEX_DIGITS_MAX}}}")
_CONSTANTS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}


def untagged(json: Any, segments: Sequence[memoryview]) -> Any:  # noqa: ANN401 - whatever was sent
    """Return the value that was written with tags.

    By levels and not by recursion: how deep it is was the sender's choice.

    Parameters
    ----------
    json : Any
        From the parser of a frame. It is used up: what is returned is made of it.
    segments : sequence of memoryview
        Of the same frame.

    Returns
    -------
    Any
        The value.

    Raises
    ------
    FrameError
        If a tag is malformed, or a segment is named by none or by two.
    BridgeError
        With code ``package_missing``, for an array that needs NumPy where there is none.
    """
    reader = _Reader(segments)
    root = reader.read(json)
    reader.check_all_named()
    return reader.finished(*root)


def untagged_each(items: Sequence[Any], segments: Sequence[memoryview]) -> list[Any]:
    """Return several values that share the segments of one message.

    Parameters
    ----------
    items : sequence
        As for `untagged`, one for each value.
    segments : sequence of memoryview
        Of the frame that has all of them.

    Returns
    -------
    list
        The values; in the place of one that needs NumPy where there is none, the `BridgeError`.

    Raises
    ------
    FrameError
        As for `untagged`.
    """
    reader = _Reader(segments)
    roots = [reader.read(item) for item in items]
    reader.check_all_named()
    values: list[Any] = []
    for root in roots:
        try:
            values.append(reader.finished(*root))
        except BridgeError as error:
            values.append(error)
    return values


class _Reader:
    def __init__(self, segments: Sequence[memoryview]) -> None:
        self._segments = segments
        self._named: set[int] = set()
        # Arrays are made last: a message that is malformed is so with and without NumPy.
        self._arrays: list[_Array] = []

    def read(self, json: Any) -> tuple[list[Any], list[_Array]]:  # noqa: ANN401 - whatever was sent
        """Return a list of the one value without its arrays, and what those are to be made of."""
        root = [json]
        level: list[Any] = [root]
        # The list around the root is not the sender's.
        depth = 0
        while level:
            if depth > DEPTH_MAX:
                raise _malformed(f"nested deeper than {DEPTH_MAX}")
            depth += 1
            deeper: list[Any] = []
            for container in level:
                self._open(container, deeper)
            level = deeper
        arrays, self._arrays = self._arrays, []
        return root, arrays

    def _open(self, container: Any, deeper: list[Any]) -> None:  # noqa: ANN401 - a dict or a list
        """Replace everything in `container` by what it means; containers in it go to `deeper`."""
        items = container.items() if type(container) is dict else enumerate(container)
        for place, item in items:
            kind = type(item)
            if kind is list:
                deeper.append(item)
            elif kind is dict:
                if "$" in item:
                    container[place] = self._tag(item, container, place)
                else:
                    plain = _unescaped(item)
                    container[place] = plain
                    deeper.append(plain)

    def check_all_named(self) -> None:
        if len(self._named) != len(self._segments):
            raise _malformed(f"{len(self._segments)} segments, {len(self._named)} of them named")

    def finished(self, root: list[Any], arrays: list[_Array]) -> Any:  # noqa: ANN401
        for container, place, dtype, shape, segment in arrays:
            container[place] = array_from(dtype, shape, segment)
        return root[0]

    def _tag(self, tag: dict[str, Any], container: Any, place: Any) -> object:  # noqa: ANN401
        name = tag["$"]
        if type(name) is not str:
            raise _malformed("an unknown tag")
        if name in _CONSTANTS:
            return _only(tag, 1, _CONSTANTS[name])
        match name:
            case "float":
                return _only(tag, 2, _float(tag.get("v")))
            case "int":
                return _only(tag, 2, _integer(tag.get("v")))
            case "date":
                return _only(tag, 2, _instant(tag.get("v")))
            case "bytes":
                return _only(tag, 2, bytes(self._segment(tag.get("i"))))
            case "nd":
                self._arrays.append((container, place, *self._array(tag)))
                return _only(tag, 4, None)
        raise _malformed("an unknown tag")

    def _segment(self, listed: object) -> memoryview:
        index = whole_number(listed)
        if index is None or not 0 <= index < len(self._segments):
            raise _malformed("a tag whose segment is not there")
        if index in self._named:
            raise _malformed("two tags for one segment")
        self._named.add(index)
        return self._segments[index]

    def _array(self, tag: dict[str, Any]) -> tuple[str, list[int], memoryview]:
        dtype, shape = tag.get("d"), tag.get("s")
        if type(dtype) is not str or dtype not in ITEM_BYTES:
            raise _malformed("an array of an unknown dtype")
        if type(shape) is not list:
            raise _malformed("an array without a shape")
        segment = self._segment(tag.get("i"))
        try:
            size_bytes = checked_size_bytes(dtype, shape)
        except ValueError as error:
            raise _malformed(str(error)) from None
        if size_bytes != len(segment):
            raise _malformed(f"an array of {size_bytes} bytes in a segment of {len(segment)}")
        if dtype == "bool" and not has_only_booleans(segment):
            raise _malformed("a bool that is neither 0 nor 1")
        return dtype, [int(length) for length in shape], segment


def _only(tag: dict[str, Any], key_count: int, value: object) -> object:
    if len(tag) != key_count:
        raise _malformed("a tag with keys that it does not have")
    return value


def _unescaped(item: dict[str, Any]) -> dict[str, Any]:
    if not any([key.startswith("$") for key in item]):
        return item
    plain: dict[str, Any] = {}
    for key, child in item.items():
        if key.startswith("$"):
            if not key.startswith("$$"):
                raise _malformed("a key that begins with one $")
            key = key[1:]
        plain[key] = child
    return plain


def _float(text: object) -> float:
    value = float(text) if type(text) is str and _FLOAT.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise _malformed("a float that is none")
    return value


def _integer(text: object) -> int:
    if type(text) is not str or not _INTEGER.fullmatch(text):
        raise _malformed("an integer that is none, or too long")
    return int(text, 16)


def _instant(ms: object) -> datetime:
    try:
        return instant_from(ms)
    except ValueError as error:
        raise _malformed(str(error)) from None


def _malformed(found: str) -> FrameError:
    return FrameError(f"malformed value: {found}")
