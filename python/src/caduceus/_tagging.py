"""How does a value that JSON cannot carry become JSON with tags, and raw segments?

`docs/protocol.md` §5 is the norm. This is the thorough way, for values that need it or are wrong
somewhere; what ordinary values cost is `_values.py`'s business.
"""

from __future__ import annotations

import array
import enum
import math
import os
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from caduceus._arrays import (
    ArrayParts,
    numpy_if_loaded,
    numpy_parts,
    numpy_scalar,
    type_name,
    view_parts,
)
from caduceus._errors import BridgeError
from caduceus._frames import SEGMENTS_MAX
from caduceus._instants import ms_of

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGER_MAX = 2**53 - 1
"""The largest integer that a JavaScript number holds exactly."""

DEPTH_MAX = 512
"""How many containers may lie inside each other, the outermost included."""

INTEGER_HEX_DIGITS_MAX = 65_536
"""Of an integer that is sent exactly: reading one takes time that grows faster than its length."""

_CONVERSIONS_MAX = 16  # an object that turns into an object that turns into an object
_PATH_CHARACTERS_MAX = 300
# What an object with fields may offer, in the order of the protocol's table.
_CONVERTERS = ("model_dump", "to_dict")


class _Tag(dict[str, object]):
    """An object that is finished, where a dict is still to be looked through."""


class _Finding(Exception):
    """What is wrong with the value at hand; where it lies is added on the way out."""


class _Open:
    """A container that is being copied: what is left of it, and where its copy goes."""

    __slots__ = ("children", "copy", "source_id", "step")

    def __init__(
        self,
        step: str,
        source_id: int,
        children: Iterator[tuple[object, object]],
        copy: dict[str, object] | list[object],
    ) -> None:
        self.step = step
        self.source_id = source_id
        self.children = children
        self.copy = copy


class Tagger:
    """Turn one value into what JSON carries.

    Iterative, because the value may be nested deeper than the interpreter can recurse.

    Parameters
    ----------
    root : str
        What the value is called at the start of a path.
    first_segment : int, default 0
        The index of its first segment.

    Attributes
    ----------
    tagged : bool
        Whether a tag or an escaped key has been written.
    segments : list of memoryview
        What the tags name by index.
    """

    def __init__(self, root: str, first_segment: int = 0) -> None:
        self.tagged = False
        self.segments: list[memoryview] = []
        self._root = root
        self._first_segment = first_segment
        self._stack: list[_Open] = []
        self._open_ids: set[int] = set()

    def run(self, value: object) -> object:
        """Return what to encode for `value`.

        Parameters
        ----------
        value : object
            Any object.

        Returns
        -------
        object
            None, bool, int, float, str, and lists and dicts of these. Only what had to change is
            not the value's own.

        Raises
        ------
        BridgeError
            With code ``unencodable`` and a message such as
            ``result.rows[3].score: a value of type set cannot be sent``.
        """
        result: list[object] = []
        top = _Open("", 0, iter([(None, value)]), result)
        self._stack.append(top)
        while self._stack:
            container = self._stack[-1]
            entry = next(container.children, None)
            if entry is None:
                self._stack.pop()
                self._open_ids.discard(container.source_id)
                continue
            key, child = entry
            try:
                self._place(container, key, child)
            except _Finding as finding:
                path = self._path(container, key)
                raise BridgeError(f"{path}: {finding}", code="unencodable") from finding.__cause__
        return result[0]

    def _place(self, container: _Open, key: object, child: object) -> None:
        plain = self._plain(child)
        opened: dict[str, object] | list[object] | None = None
        if isinstance(plain, (dict, list, tuple)) and type(plain) is not _Tag:
            source_id = id(plain)
            if source_id in self._open_ids:
                raise _Finding(f"the {type_name(plain)} contains itself")
            if len(self._stack) > DEPTH_MAX:
                raise _Finding(f"nested deeper than {DEPTH_MAX}")
            children: Iterator[tuple[object, object]]
            if isinstance(plain, dict):
                for name in plain:
                    if not isinstance(name, str):
                        raise _Finding(f"a key is of type {type_name(name)}; keys must be str")
                opened, children = {}, iter(plain.items())
            else:
                opened, children = [], enumerate(plain)
            self._open_ids.add(source_id)
            step = self._root if container is self._stack[0] else _step(key)
            # The container holds on to nothing but its iterator, which keeps `plain` alive, and
            # with it the id.
            self._stack.append(_Open(step, source_id, children, opened))
        placed = plain if opened is None else opened
        if isinstance(container.copy, list):
            container.copy.append(placed)
        elif isinstance(key, str):
            if key.startswith("$"):
                self.tagged = True
                key = f"${key}"
            container.copy[key] = placed

    def _plain(self, value: object) -> object:
        """Return a leaf of JSON, a tag, or a container that is still to be looked through."""
        for _ in range(_CONVERSIONS_MAX):
            if value is None or isinstance(value, (str, bool)):
                return value
            if isinstance(value, int):
                return value if -INTEGER_MAX <= value <= INTEGER_MAX else self._integer(value)
            if isinstance(value, float):
                return value if math.isfinite(value) else self._tag(_float_name(value))
            if isinstance(value, (dict, list, tuple)):
                return value
            value = self._converted(value)
        raise _Finding(f"more than {_CONVERSIONS_MAX} conversions, and still no value")

    def _converted(self, value: Any) -> object:  # noqa: ANN401 - judged by what it can do
        """Return the tag for `value`, or the simpler value that stands for it."""
        if isinstance(value, (bytes, bytearray)):
            return self._segment("bytes", memoryview(value))
        if isinstance(value, (memoryview, array.array)):
            return self._view(value)
        if isinstance(value, enum.Enum):
            return value.value
        if isinstance(value, datetime):
            return self._tag("date", v=_finding_of(ms_of, value))
        if isinstance(value, date):
            return value.isoformat()
        # Who has not imported it has no such value; importing it costs a start milliseconds.
        uuid = sys.modules.get("uuid")
        if uuid is not None and isinstance(value, uuid.UUID):
            return str(value)
        if isinstance(value, os.PathLike):
            return os.fsdecode(value)
        numpy = numpy_if_loaded()
        if numpy is not None:
            if isinstance(value, numpy.ndarray):
                return self._array(_finding_of(numpy_parts, numpy, value))
            if isinstance(value, numpy.generic):
                return _finding_of(numpy_scalar, value)
        return self._of_object(value)

    def _of_object(self, value: Any) -> object:  # noqa: ANN401
        kind = type(value)
        dataclasses = sys.modules.get("dataclasses")
        if dataclasses is not None and dataclasses.is_dataclass(kind):
            return {
                field.name: getattr(value, field.name)
                for field in dataclasses.fields(value)
                # A field without a value is no attribute.
                if hasattr(value, field.name)
            }
        for name in _CONVERTERS:
            # Of its class, as Python looks up its own special methods: a mock has every attribute.
            method = getattr(kind, name, None)
            if callable(method) and not isinstance(value, type):
                return _call_of_user(value, name)
        if getattr(kind, "__array__", None) is not None and not isinstance(value, type):
            made = _call_of_user(value, "__array__")
            numpy = numpy_if_loaded()
            if numpy is not None and isinstance(made, numpy.ndarray):
                return made
            raise _Finding(f"__array__ of {type_name(value)} gave a {type_name(made)}")
        raise _Finding(f"a value of type {type_name(value)} cannot be sent")

    def _integer(self, value: int) -> _Tag:
        digits = (value.bit_length() + 3) // 4
        if digits > INTEGER_HEX_DIGITS_MAX:
            raise _Finding(
                f"an int of {digits} hexadecimal digits, at most {INTEGER_HEX_DIGITS_MAX} are sent"
            )
        return self._tag("int", v=hex(int(value)))

    def _view(self, value: memoryview | array.array[Any]) -> _Tag:
        view = memoryview(value)
        parts = _finding_of(view_parts, view)
        if parts is not None:
            return self._array(parts)
        if isinstance(value, array.array):
            return self._array(ArrayParts("uint8", (len(view),), view))
        is_plain = view.c_contiguous and view.nbytes > 0
        return self._segment("bytes", view.cast("B") if is_plain else memoryview(view.tobytes()))

    def _array(self, parts: ArrayParts) -> _Tag:
        return self._segment("nd", parts.segment, d=parts.dtype, s=list(parts.shape))

    def _segment(self, name: str, segment: memoryview, **fields: object) -> _Tag:
        if len(self.segments) >= SEGMENTS_MAX:
            raise _Finding(f"more than {SEGMENTS_MAX} bytes and arrays in one value")
        self.segments.append(segment)
        return self._tag(name, **fields, i=self._first_segment + len(self.segments) - 1)

    def _tag(self, name: str, **fields: object) -> _Tag:
        self.tagged = True
        return _Tag({"$": name, **fields})

    def _path(self, container: _Open, key: object) -> str:
        steps = [frame.step for frame in self._stack[1:]]
        steps.append(self._root if container is self._stack[0] else _step(key))
        path = "".join(steps)
        if len(path) <= _PATH_CHARACTERS_MAX:
            return path
        half = _PATH_CHARACTERS_MAX // 2
        return f"{path[:half]}…{path[-half:]}"


def _step(key: object) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"
    return f"[{key!r}]"


def _float_name(value: float) -> str:
    if value != value:
        return "nan"
    return "inf" if value > 0 else "-inf"


def _finding_of(function: Any, *arguments: object) -> Any:  # noqa: ANN401
    try:
        return function(*arguments)
    except ValueError as error:
        raise _Finding(str(error)) from None


def _call_of_user(value: Any, name: str) -> object:  # noqa: ANN401
    try:
        made: object = getattr(value, name)()
    except Exception as error:
        raise _Finding(
            f"{name}() of {type_name(value)} raised {type(error).__name__}: {str(error)[:500]}"
        ) from error
    return made
