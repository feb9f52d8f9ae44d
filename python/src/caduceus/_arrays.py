"""How do arrays become a dtype, a shape and raw bytes, and raw bytes arrays?

`docs/protocol.md` §5 is the norm. NumPy is used where it is, and is not needed: nothing imports it
before the first array arrives, and without it an array is a memoryview.
"""

from __future__ import annotations

import array
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from caduceus._dtypes import ITEM_BYTES, checked_size_bytes
from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

ARRAY_BYTES_MAX = 2**32 - 1
"""What no frame can hold more of; judged before an array is copied into one piece."""

_WORDS_PER_ITEM = {"complex64": 2, "complex128": 2}

_KINDS = {"bool": "b", "int": "i", "uint": "u", "float": "f", "complex": "c"}
_DTYPES = {(_KINDS[name.rstrip("0123456789")], size): name for name, size in ITEM_BYTES.items()}

# The format codes of PEP 3118, by what they count; how many bytes they take is the view's to say.
_FORMAT_KINDS = {"?": "b", "Zf": "c", "Zd": "c", "F": "c", "D": "c"}
_FORMAT_KINDS.update(dict.fromkeys("bhilqn", "i"))
_FORMAT_KINDS.update(dict.fromkeys("BHILQN", "u"))
_FORMAT_KINDS.update(dict.fromkeys("efd", "f"))

# What a memoryview can be of. "@B" is "B" for everyone but us: it tells numbers from bytes.
_VIEW_FORMATS = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "@B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
if sys.version_info >= (3, 12):
    _VIEW_FORMATS["float16"] = "e"

_SWAP_CODES = {2: "H", 4: "I", 8: "Q"}


class ArrayParts(NamedTuple):
    """An array, ready to be sent.

    Attributes
    ----------
    dtype : str
        One of `ITEM_BYTES`.
    shape : tuple of int
        The length of each dimension.
    segment : memoryview
        The elements in C order, little-endian.
    """

    dtype: str
    shape: tuple[int, ...]
    segment: memoryview


def numpy_if_loaded() -> Any:  # noqa: ANN401 - a module that need not be there
    """Return NumPy, if anybody has imported it: without it, no value is one of its arrays."""
    numpy = sys.modules.get("numpy")
    # A module that is being imported is there without its content.
    return numpy if numpy is not None and hasattr(numpy, "ndarray") else None


def numpy_parts(numpy: Any, value: Any) -> ArrayParts:  # noqa: ANN401 - NumPy is no dependency
    """Take a NumPy array apart, whatever its strides and byte order.

    Parameters
    ----------
    numpy : module
        From `numpy_if_loaded`.
    value : numpy.ndarray
        The array. It is copied only if its elements do not lie as they are sent.

    Returns
    -------
    ArrayParts
        What to send.

    Raises
    ------
    ValueError
        If it is of a dtype that is not sent, or is too large; the message is the finding.
    """
    masked = getattr(getattr(numpy, "ma", None), "MaskedArray", None)
    if masked is not None and isinstance(value, masked):
        raise ValueError("a masked array cannot be sent: fill it, or send data and mask")
    kind, item_bytes = value.dtype.kind, value.dtype.itemsize
    name = _DTYPES.get((kind, item_bytes))
    if name is None:
        raise ValueError(f"an array of dtype {str(value.dtype)[:100]} cannot be sent")
    shape = tuple(value.shape)
    _check_size(name, shape)
    little = numpy.asarray(value, dtype=value.dtype.newbyteorder("<"), order="C")
    flat = little.reshape(-1).view(numpy.uint8)
    if kind == "b" and flat.size > 0 and flat.max() > 1:
        # Bytes that were called booleans: any that is not 0 is true.
        flat = (flat != 0).view(numpy.uint8)
    return ArrayParts(name, shape, memoryview(flat))


def numpy_scalar(value: Any) -> object:  # noqa: ANN401 - a numpy.generic
    """Return a NumPy scalar as the Python value that it is.

    Parameters
    ----------
    value : numpy.generic
        The scalar.

    Returns
    -------
    object
        A bool, int or float.

    Raises
    ------
    ValueError
        If it is none of these; the message is the finding.
    """
    plain: object = value.item()
    if value.dtype.kind in "biuf" and isinstance(plain, (bool, int, float)):
        return plain
    raise ValueError(f"a value of type {type_name(value)} cannot be sent")


def view_parts(view: memoryview) -> ArrayParts | None:
    """Take a memoryview of numbers apart.

    Parameters
    ----------
    view : memoryview
        Of any format and strides.

    Returns
    -------
    ArrayParts or None
        None if its elements are bytes and nothing more.

    Raises
    ------
    ValueError
        If its format is not that of numbers; the message is the finding.
    """
    if view.format in ("B", "c") and view.ndim == 1:
        return None
    code = view.format.lstrip("@=<>!")
    name = _DTYPES.get((_FORMAT_KINDS.get(code, ""), view.itemsize))
    if name is None:
        raise ValueError(f"a memoryview of format {view.format!r:.100} cannot be sent")
    shape = tuple(view.shape or ())
    _check_size(name, shape)
    if 0 in shape:
        return ArrayParts(name, shape, memoryview(b""))
    if _is_swapped(view.format):
        return ArrayParts(name, shape, memoryview(_swapped(name, view.tobytes())))
    is_native = view.format[0] not in "=<>!"
    if view.c_contiguous and is_native:
        return ArrayParts(name, shape, view.cast("B"))
    return ArrayParts(name, shape, memoryview(view.tobytes()))


def array_from(dtype: str, shape: Sequence[int], segment: memoryview) -> Any:  # noqa: ANN401
    """Make an array over the bytes of a segment, without a copy.

    Parameters
    ----------
    dtype : str
        One of `ITEM_BYTES`.
    shape : sequence of int
        As checked by `checked_size_bytes`.
    segment : memoryview
        Exactly as many bytes as the two say.

    Returns
    -------
    numpy.ndarray or memoryview
        A memoryview if there is no NumPy; writable if the segment is.

    Raises
    ------
    BridgeError
        With code ``package_missing``, if only NumPy has such an array and it is not there.
    """
    try:
        import numpy
    except ImportError:
        return _view_from(dtype, shape, segment)
    little = numpy.ndarray(tuple(shape), numpy.dtype(dtype).newbyteorder("<"), segment)
    return little if little.dtype.isnative else little.astype(dtype)


def type_name(value: object) -> str:
    """Return the name of a value's type, with its module unless that is Python itself."""
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _check_size(name: str, shape: tuple[int, ...]) -> None:
    size_bytes = checked_size_bytes(name, shape)
    if size_bytes > ARRAY_BYTES_MAX:
        raise ValueError(f"an array of {size_bytes} bytes, and no frame can have over 4 GiB")


def _view_from(dtype: str, shape: Sequence[int], segment: memoryview) -> memoryview:
    code = _VIEW_FORMATS.get(dtype)
    if code is None or (0 in shape and len(shape) > 1):
        raise BridgeError(
            f"an array of {dtype} and shape {tuple(shape)} arrived, which needs NumPy, "
            "and it is not installed",
            code="package_missing",
        )
    if sys.byteorder == "big" and ITEM_BYTES[dtype] > 1:
        segment = memoryview(_swapped(dtype, segment))
    # Typed so because the type checker knows the formats one by one.
    cast: Any = segment.cast
    view: memoryview = cast(code) if len(shape) == 1 else cast(code, tuple(shape))
    return view


def _is_swapped(view_format: str) -> bool:
    order = view_format[0]
    if order in ">!":
        return True
    return order != "<" and sys.byteorder == "big"


def _swapped(dtype: str, data: bytes | memoryview) -> bytearray:
    word_bytes = ITEM_BYTES[dtype] // _WORDS_PER_ITEM.get(dtype, 1)
    if word_bytes == 1:
        return bytearray(data)
    words = array.array(_SWAP_CODES[word_bytes])
    words.frombytes(data)
    words.byteswap()
    return bytearray(words.tobytes())
