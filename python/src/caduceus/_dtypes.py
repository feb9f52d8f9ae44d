"""Which element types cross the wire, and how large is an array of one?

`docs/protocol.md` §5 is the norm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caduceus._json import whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

DIMENSIONS_MAX = 32
"""Of the 64 that NumPy has since its version 2, those that arrive everywhere."""

_SIZE_BYTES_MAX = 2**53 - 1

ITEM_BYTES = {
    "bool": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "uint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "float16": 2,
    "float32": 4,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}
"""The dtypes of the protocol, and how many bytes one element takes."""


def checked_size_bytes(dtype: str, shape: Sequence[object]) -> int:
    """Return how many bytes an array has.

    Parameters
    ----------
    dtype : str
        One of `ITEM_BYTES`.
    shape : sequence
        The lengths of its dimensions, still to be checked.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ValueError
        If a length is none, or there are too many dimensions or bytes; the message is the finding.
    """
    if len(shape) > DIMENSIONS_MAX:
        raise ValueError(f"an array of {len(shape)} dimensions, at most {DIMENSIONS_MAX} are sent")
    size_bytes = bound_bytes = ITEM_BYTES[dtype]
    for listed in shape:
        length = whole_number(listed)
        if length is None or not 0 <= length <= _SIZE_BYTES_MAX:
            raise ValueError("an array with a length that is none")
        size_bytes *= length
        # NumPy refuses what would be too large if the empty dimensions were not there.
        bound_bytes *= max(length, 1)
    if bound_bytes > _SIZE_BYTES_MAX:
        raise ValueError("an array of more bytes than there can be")
    return size_bytes


def has_only_booleans(segment: memoryview) -> bool:
    """Say whether each byte is 0 or 1; NumPy computes nonsense with any other."""
    return not bytes(segment).translate(None, b"\x00\x01")
