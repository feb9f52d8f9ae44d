"""How does a value become the JSON and the segments of a message, and how does it come back?

`docs/protocol.md` §5 is the norm. The ordinary case pays for one JSON encoding and one look at the
containers; the thorough way of `_tagging.py` is for values that need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from caduceus._errors import BridgeError
from caduceus._frames import FrameError, encode_json
from caduceus._tagging import DEPTH_MAX, INTEGER_MAX, Tagger
from caduceus._untagging import untagged

if TYPE_CHECKING:
    from collections.abc import Sequence

_STRINGS = frozenset((str,))
_SCALARS = frozenset((str, float, bool, int, type(None)))


class EncodedValue(NamedTuple):
    """A value, ready for a frame.

    A tuple, because a frozen dataclass takes three times as long to make, and each reply has one.

    Attributes
    ----------
    text : str
        Its JSON.
    tagged : bool
        Whether the JSON holds tags or escaped keys.
    segments : tuple of memoryview
        What the tags name by index: views of the value's own memory where that lies as it is sent.
    """

    text: str
    tagged: bool = False
    segments: tuple[memoryview, ...] = ()


def encode_value(value: object, root: str = "result", *, first_segment: int = 0) -> EncodedValue:
    """Return what to write for `value`, or refuse it with the path of what cannot be sent.

    Parameters
    ----------
    value : object
        Any value of the protocol's table: what JSON has, integers of any size, bytes, dates,
        arrays, dataclasses, objects with ``model_dump`` or ``to_dict``.
    root : str, default "result"
        What the value is called at the start of the path.
    first_segment : int, default 0
        The index of the value's first segment: how many others of the message come before.

    Returns
    -------
    EncodedValue
        Its JSON and its segments.

    Raises
    ------
    BridgeError
        With code ``unencodable`` and a message such as
        ``result.rows[3].score: a value of type set cannot be sent``.
    """
    try:
        text = encode_json(value)
    except (TypeError, ValueError, RecursionError):
        return _encode_thoroughly(value, root, first_segment)
    # `json` turns a key that is not a str into one and writes integers of any size, both without a
    # word, and its own nesting limit is another one.
    if _is_ordinary(value, '"$' in text):
        return EncodedValue(text)
    return _encode_thoroughly(value, root, first_segment)


def decode_value(json: Any, tagged: bool, segments: Sequence[memoryview]) -> Any:  # noqa: ANN401
    """Return the value that Node wrote.

    Parameters
    ----------
    json : Any
        From the parser of a frame. It is used up: what is returned is made of it.
    tagged : bool
        Whether the message says so.
    segments : sequence of memoryview
        Of the same frame.

    Returns
    -------
    Any
        The value; `json` itself if it is not tagged.

    Raises
    ------
    FrameError
        If a tag is malformed, or a segment is named by none or by two.
    BridgeError
        With code ``package_missing``, for an array that needs NumPy where there is none. The
        message is sound: only its call fails.
    """
    if tagged:
        return untagged(json, segments)
    if segments:
        raise FrameError("a value with segments that no tag names")
    return json


def _encode_thoroughly(value: object, root: str, first_segment: int) -> EncodedValue:
    tagger = Tagger(root, first_segment)
    plain = tagger.run(value)
    try:
        text = encode_json(plain)
    except (TypeError, ValueError, RecursionError) as error:
        # A stack that is nearly full already, or a subclass of a number that JSON chokes on.
        raise BridgeError(f"{root}: {error}", code="unencodable") from None
    return EncodedValue(text, tagger.tagged, tuple(tagger.segments))


def _is_ordinary(value: object, may_have_dollars: bool) -> bool:
    """Say whether keys, integers and depth are in order, one level of nesting at a time.

    Only for a value that `json` has encoded, which therefore has no cycle.
    """
    level: list[object] = [value]
    depth = 1
    while True:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                if not _STRINGS.issuperset(map(type, item)) and not _are_strings(item):
                    return False
                if may_have_dollars and any([key.startswith("$") for key in item]):
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
                    elif isinstance(child, int) and not -INTEGER_MAX <= child <= INTEGER_MAX:
                        return False
        if not deeper:
            return True
        depth += 1
        if depth > DEPTH_MAX:
            return False
        level = deeper


def _are_strings(keys: Any) -> bool:  # noqa: ANN401 - a dict, of which the keys are iterated
    return all([isinstance(key, str) for key in keys])


def _integers_fit(children: Any) -> bool:  # noqa: ANN401 - a list or a dict view, both iterated twice
    for child in children:
        if type(child) is int and not -INTEGER_MAX <= child <= INTEGER_MAX:
            return False
    return True
