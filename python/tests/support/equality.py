"""Is what came back from JavaScript what was sent? The table of `docs/protocol.md` §5."""

from __future__ import annotations

import array
import dataclasses
import enum
import json
import os
import sys
import uuid
from datetime import date, datetime, timezone
from typing import Any

from caduceus._arrays import numpy_if_loaded, numpy_parts, view_parts
from caduceus._values import decode_value, encode_value

_SAFE = 2**53 - 1


def round_trip(value: object) -> Any:  # noqa: ANN401
    """Send `value` from Python to Python: numbers stay what they are."""
    encoded = encode_value(value)
    segments = [memoryview(bytearray(segment)) for segment in encoded.segments]
    return decode_value(json.loads(encoded.text), encoded.tagged, segments)


def are_identical(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Compare what was decoded with what is meant: types and bits, NaN as itself."""
    if _is_array(one) or _is_array(other):
        return _are_equal_arrays(one, other)
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(are_identical, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(are_identical(one[k], other[k]) for k in one)
    return bool(one == other)


def are_equal(sent: Any, back: Any) -> bool:  # noqa: ANN401
    """Say whether `back` is what the table says of `sent` once it has been to JavaScript."""
    if sent is None or isinstance(sent, bool):
        return back is sent
    if isinstance(sent, enum.Enum):
        return are_equal(sent.value, back)
    if isinstance(sent, str):
        return type(back) is str and back == str(sent)
    if isinstance(sent, int):
        return type(back) is int and back == sent
    if isinstance(sent, float):
        return _are_equal_floats(float(sent), back)
    if isinstance(sent, dict):
        return (
            type(back) is dict
            # JavaScript puts keys that look like indexes first.
            and set(back) == set(sent)
            and all(are_equal(sent[key], back[key]) for key in sent)
        )
    if isinstance(sent, (list, tuple)):
        return type(back) is list and len(back) == len(sent) and all(map(are_equal, sent, back))
    if isinstance(sent, datetime):
        cut = sent.astimezone(timezone.utc)
        cut = cut.replace(microsecond=cut.microsecond // 1000 * 1000)
        return type(back) is datetime and back == cut and back.tzinfo is timezone.utc
    if isinstance(sent, date):
        return bool(back == sent.isoformat())
    if isinstance(sent, (uuid.UUID, os.PathLike)):
        return bool(back == str(sent))
    if isinstance(sent, (bytes, bytearray)):
        return type(back) is bytes and back == sent
    if _is_array(sent):
        return _are_equal_arrays(sent, back)
    return _are_equal_objects(sent, back)


def _are_equal_floats(sent: float, back: Any) -> bool:  # noqa: ANN401
    if sent != sent:
        return type(back) is float and back != back
    is_whole = sent.is_integer() and abs(sent) <= _SAFE and repr(sent) != "-0.0"
    if is_whole:
        return type(back) is int and back == sent
    return type(back) is float and repr(back) == repr(sent)


def _are_equal_objects(sent: Any, back: Any) -> bool:  # noqa: ANN401
    numpy = numpy_if_loaded()
    if numpy is not None and isinstance(sent, numpy.generic):
        return are_equal(sent.item(), back)
    if dataclasses.is_dataclass(sent) and not isinstance(sent, type):
        fields = {field.name: getattr(sent, field.name) for field in dataclasses.fields(sent)}
        return are_equal(fields, back)
    for name in ("model_dump", "to_dict"):
        if hasattr(sent, name):
            return are_equal(getattr(sent, name)(), back)
    if hasattr(sent, "__array__"):
        return are_equal(sent.__array__(), back)
    raise AssertionError(f"the table has no row for {type(sent)}")


def _is_array(value: object) -> bool:
    numpy = numpy_if_loaded()
    return isinstance(value, (memoryview, array.array)) or (
        numpy is not None and isinstance(value, numpy.ndarray)
    )


def _are_equal_arrays(sent: Any, back: Any) -> bool:  # noqa: ANN401
    if not _is_array(sent) or not _is_array(back):
        # A memoryview of bytes is bytes.
        return isinstance(sent, memoryview) and type(back) is bytes and sent.tobytes() == back
    one, other = _parts(sent), _parts(back)
    if one is None or other is None:
        return False
    numpy = numpy_if_loaded()
    is_native = numpy is None or not isinstance(back, numpy.ndarray) or back.dtype.isnative
    is_writable = not (back.readonly if isinstance(back, memoryview) else not back.flags.writeable)
    same = one.dtype == other.dtype and one.shape == other.shape
    return same and bytes(one.segment) == bytes(other.segment) and is_native and is_writable


def _parts(value: Any) -> Any:  # noqa: ANN401
    if "numpy" in sys.modules and not isinstance(value, (memoryview, array.array)):
        return numpy_parts(sys.modules["numpy"], value)
    view = memoryview(value)
    # An array of bytes is one of numbers, where a memoryview of bytes is bytes.
    return view_parts(
        view.cast("@B") if isinstance(value, array.array) and view.format == "B" else view
    )
