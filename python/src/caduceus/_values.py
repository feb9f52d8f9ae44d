"""Which Python values can be sent, and where in a value is the thing that cannot?

`docs/protocol.md` §5 is the norm. The ordinary case pays for one JSON encoding and one look at the
containers; the exact search for the culprit runs only when something is already known to be wrong.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus._frames import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGER_MAX = 2**53 - 1
"""The largest integer that a JavaScript number holds exactly."""

DEPTH_MAX = 512
"""How many containers may lie inside each other, the outermost included."""

_PATH_CHARACTERS_MAX = 300
_SCALARS = frozenset((str, float, bool, int, type(None)))


def encode_value(value: object, root: str = "result") -> str:
    """Return the JSON text of `value`, or refuse it with the path of what cannot be sent.

    Parameters
    ----------
    value : object
        The value: None, bool, int, float, str, list, tuple, dict with str keys, and their
        subclasses.
    root : str, default "result"
        What the value is called at the start of the path.

    Returns
    -------
    str
        Compact JSON text. Tuples have become arrays.

    Raises
    ------
    BridgeError
        With code ``unencodable`` and a message such as
        ``result.rows[3].score: the float nan cannot be sent``.
    """
    try:
        text = encode_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        found = _find_offence(value, root)
        raise BridgeError(found or f"{root}: {error}", code="unencodable") from None
    # `json` turns a key that is not a str into one and writes integers of any size, both without a
    # word, and its own nesting limit is another one.
    if not _is_ordinary(value):
        finding = _find_offence(value, root)
        if finding is not None:
            raise BridgeError(finding, code="unencodable")
    return text


def _is_ordinary(value: object) -> bool:
    """Say whether keys, integers and depth are in order, one level of nesting at a time.

    Only for a value that `json` has encoded, which therefore has no cycle.
    """
    level: list[object] = [value]
    depth = 1
    kinds: set[type]
    while True:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    if type(key) is not str and not isinstance(key, str):
                        return False
                children: Any = item.values()
            elif isinstance(item, (list, tuple)):
                children = item
            else:
                children = (item,)
            # Testing a set of types is several times faster than testing every element of a long
            # list.
            kinds = set(map(type, children))
            if int in kinds and not _integers_fit(children):
                return False
            if not kinds <= _SCALARS:
                for child in children:
                    if isinstance(child, (dict, list, tuple)):
                        deeper.append(child)
                    elif isinstance(child, int) and not _fits(child):
                        return False
        if not deeper:
            return True
        depth += 1
        if depth > DEPTH_MAX:
            return False
        level = deeper


def _integers_fit(children: Any) -> bool:  # noqa: ANN401 - a list or a dict view, both iterated twice
    for child in children:
        if type(child) is int and not -INTEGER_MAX <= child <= INTEGER_MAX:
            return False
    return True


def _fits(number: int) -> bool:
    return -INTEGER_MAX <= number <= INTEGER_MAX


def _find_offence(root_value: object, root: str) -> str | None:
    """Return what is wrong and where, the first in reading order, or None.

    Iterative, because the value may be nested deeper than the interpreter can recurse.
    """
    finding = _scalar_offence(root_value)
    if finding is not None:
        return f"{root}: {finding}"
    if not isinstance(root_value, (dict, list, tuple)):
        return None
    open_ids = [id(root_value)]
    stack: list[tuple[str, Iterator[tuple[str, object, object]]]] = [(root, _children(root_value))]
    while stack:
        path, children = stack[-1]
        entry = next(children, None)
        if entry is None:
            stack.pop()
            open_ids.pop()
            continue
        step, key, child = entry
        if not isinstance(key, (str, type(None))):
            return f"{_shorten(path)}: a key is of type {_type_name(key)}; keys must be str"
        child_path = path + step
        finding = _scalar_offence(child)
        if finding is not None:
            return f"{_shorten(child_path)}: {finding}"
        if isinstance(child, (dict, list, tuple)):
            if id(child) in open_ids:
                return f"{_shorten(child_path)}: the {_type_name(child)} contains itself"
            if len(stack) >= DEPTH_MAX:
                return f"{_shorten(child_path)}: nested deeper than {DEPTH_MAX}"
            open_ids.append(id(child))
            stack.append((child_path, _children(child)))
    return None


def _children(
    container: dict[Any, object] | list[object] | tuple[object, ...],
) -> Iterator[tuple[str, object, object]]:
    """Yield (step of the path, key or None, child)."""
    if isinstance(container, dict):
        for key, child in container.items():
            step = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
            # None as a key is as wrong as an int; it only must not look like "no key".
            yield step, (_NoneKey() if key is None else key), child
    else:
        for index, child in enumerate(container):
            yield f"[{index}]", None, child


class _NoneKey:
    """Stands for a key that is None."""


def _scalar_offence(value: object) -> str | None:
    if value is None or isinstance(value, (str, bool, dict, list, tuple)):
        return None
    if isinstance(value, int):
        return None if _fits(value) else "an int beyond ±(2^53 - 1) cannot be sent exactly"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"the float {float(value)!r} cannot be sent"
    return f"a value of type {_type_name(value)} has no JSON form"


def _type_name(value: object) -> str:
    if isinstance(value, _NoneKey):
        return "NoneType"
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _shorten(path: str) -> str:
    if len(path) <= _PATH_CHARACTERS_MAX:
        return path
    half = _PATH_CHARACTERS_MAX // 2
    return f"{path[:half]}…{path[-half:]}"
