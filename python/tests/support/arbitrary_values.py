"""Which values can a handler return? All that the table of `docs/protocol.md` §5 has, at random.

The same seed gives the same value, so that a sender can be asked again what it has sent.
"""

from __future__ import annotations

import array
import struct
import sys
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

try:
    import numpy
except ImportError:
    # Run so on purpose: without NumPy there are memoryviews.
    numpy = None  # type: ignore[assignment]
try:
    import pydantic
except ImportError:
    pydantic = None  # type: ignore[assignment]

DTYPES = ("?", *("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"), *("f2", "f4", "f8", "c8", "c16"))
KEYS = ("a", "b", "1", "", "$", "$$", "$x", "é", "\ud83d", "a b", "v", "i")
POLLUTING_KEYS = ("__proto__", "constructor", "toString", "prototype", "toJSON", "hasOwnProperty")
DEPTH_MAX = 4


class Shape(Enum):
    ROUND = "round"
    PAIR = (1, 2.5)


class Colour(IntEnum):
    RED = 1


@dataclass
class Row:
    name: Any
    rest: Any


class ToDict:
    def __init__(self, made: object) -> None:
        self.made = made

    def to_dict(self) -> object:
        return self.made


class Tensor:
    def __init__(self, made: Any) -> None:  # noqa: ANN401
        self.made = made

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:  # noqa: ANN401
        return self.made


def arbitrary_value(rng: random.Random, depth: int = 0) -> Any:  # noqa: ANN401
    """Return any value that can be sent.

    Parameters
    ----------
    rng : random.Random
        Where chance comes from.
    depth : int, default 0
        How many containers it is in.

    Returns
    -------
    Any
        The value.
    """
    makers: list[Callable[[random.Random, int], Any]] = [
        _scalar,
        _scalar,
        _text,
        _number,
        _moment,
        _bytes,
        _view,
    ]
    if numpy is not None:
        makers += [_array, _array, _numpy_scalar]
    if depth < DEPTH_MAX:
        makers += [_list, _dict, _dict, _object]
    return rng.choice(makers)(rng, depth)


def _scalar(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    return rng.choice((None, True, False, Shape.ROUND, Shape.PAIR, Colour.RED))


def _text(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    if rng.random() < 0.2:
        return rng.choice((uuid.UUID(int=rng.getrandbits(128)), PurePosixPath("/a/é"), "$", "$x"))
    # Half of a surrogate pair too, but never two halves: those are one character in JavaScript.
    tops = (0x7F, 0xFF, 0xD7FF, 0x10FFFF)
    codes = [rng.randint(0, rng.choice(tops)) for _ in range(rng.randint(0, 6))]
    text = "".join(chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF)
    return text + rng.choice(("", "", "\ud83d", "\udc00"))


def _number(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randint(-100, 100)
    if kind == 1:
        return rng.choice((-1, 1)) * (2**53 + rng.randint(-2, 2))
    if kind == 2:
        return rng.choice((-1, 1)) * rng.getrandbits(rng.choice((64, 65, 300, 20_000)))
    if kind == 3:
        special = (0.0, -0.0, 1e300, 5e-324, 1e21, 2.0**53, *map(float, ("nan", "inf", "-inf")))
        return rng.choice(special)
    return struct.unpack("<d", rng.randbytes(8))[0]


def _moment(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    if rng.random() < 0.2:
        return date(rng.randint(1, 9999), rng.randint(1, 12), rng.randint(1, 28))
    first, last = datetime(1, 1, 2), datetime(9999, 12, 30)
    naive = first + (last - first) * rng.random()
    return naive.replace(tzinfo=timezone(timedelta(minutes=rng.randint(-1439, 1439))))


def _bytes(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    data = rng.randbytes(rng.choice((0, 1, 7, 8, 9, 1000)))
    return rng.choice((bytes, bytearray, memoryview))(data)


def _view(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    code = rng.choice("bBhHiIlLqQfd")
    made = array.array(code)
    made.frombytes(rng.randbytes(made.itemsize * 6 * rng.randint(0, 2)))
    if len(made) == 0 or code == "B" or rng.random() < 0.5:
        return made
    view: Any = memoryview(made)
    if rng.random() < 0.5:
        return view[:: rng.choice((-1, 2, 3))]
    return view.cast("B").cast(code, rng.choice(((2, len(made) // 2), (3, 1, len(made) // 3))))


def _array(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    shape = [rng.choice((0, 1, 2, 3, 5)) for _ in range(rng.choice((0, 1, 1, 2, 3, 4)))]
    dtype = numpy.dtype(rng.choice(DTYPES))
    size = 1
    for length in shape:
        size *= length
    data = bytearray(rng.randbytes(size * dtype.itemsize))
    if dtype.kind == "b":
        data = bytearray(byte & 1 for byte in data)
    made: Any = numpy.ndarray(tuple(shape), dtype, data)
    ways: list[Callable[[Any], Any]] = [
        lambda one: one,
        numpy.asfortranarray,
        lambda one: one.T,
        lambda one: one[..., None] if one.ndim else one,
        lambda one: one[::-1] if one.ndim else one,
        lambda one: one[..., ::2] if one.ndim else one,
        lambda one: (
            one.byteswap().view(one.dtype.newbyteorder()) if one.dtype.itemsize > 1 else one
        ),
        lambda one: numpy.broadcast_to(one, (2, *one.shape)),
        Tensor,
    ]
    return rng.choice(ways)(made)


def _numpy_scalar(rng: random.Random, _depth: int) -> Any:  # noqa: ANN401
    dtype = numpy.dtype(rng.choice([one for one in DTYPES if not one.startswith("c")]))
    data = bytes((rng.randrange(2),)) if dtype.kind == "b" else rng.randbytes(dtype.itemsize)
    return numpy.frombuffer(data, dtype)[0]


def _list(rng: random.Random, depth: int) -> Any:  # noqa: ANN401
    items = [arbitrary_value(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    return tuple(items) if rng.random() < 0.3 else items


def _dict(rng: random.Random, depth: int) -> dict[str, Any]:
    keys = rng.sample(KEYS + POLLUTING_KEYS, rng.randint(0, 5))
    return {key: arbitrary_value(rng, depth + 1) for key in keys}


def _object(rng: random.Random, depth: int) -> Any:  # noqa: ANN401
    rest = arbitrary_value(rng, depth + 1)
    kind = rng.randrange(3)
    if kind == 0:
        return Row(arbitrary_value(rng, depth + 1), rest)
    if kind == 1 and pydantic is not None and "numpy" in sys.modules:
        model: Any = pydantic.create_model("Model", name=(str, ...), rest=(Any, ...))
        return model(
            name="m", rest=_dict(rng, depth + 1) if isinstance(rest, Row) else rng.random()
        )
    return ToDict(rest)
