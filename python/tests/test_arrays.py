from __future__ import annotations

import array
import ctypes
import json
import struct
import sys
from typing import Any

import numpy as np
import pytest

from caduceus import BridgeError
from caduceus._frames import FrameError
from caduceus._values import decode_value, encode_value
from equality import are_equal, round_trip

# NumPy's arrays are buffers, which its types say only to newer Pythons.
view_of: Any = memoryview


class Subclass(np.ndarray[Any, Any]):
    """An array of a class of its own, like `numpy.matrix`."""


class Tensor:
    def __init__(self, made: object) -> None:
        self.made = made

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:  # noqa: ANN401
        if isinstance(self.made, Exception):
            raise self.made
        return self.made


ARRAYS = {
    **{name: np.arange(6).astype(name).reshape(2, 3) for name in ("i1", "i2", "i4", "i8")},
    **{name: np.arange(6).astype(name).reshape(2, 3) for name in ("u1", "u2", "u4", "u8")},
    **{name: np.arange(6).astype(name) / 4 for name in ("f2", "f4", "f8")},
    **{name: np.arange(6).astype(name) * (1 - 2j) for name in ("c8", "c16")},
    "bool": np.array([True, False]),
    "no dimension": np.array(1.5),
    "an empty dimension": np.empty((2, 0, 3), "f4"),
    "Fortran order": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "strides": np.arange(100)[::-7],
    "a transposed slice": np.arange(24, dtype="i2").reshape(4, 6)[1:3, ::2].T,
    "broadcast": np.broadcast_to(np.arange(3), (4, 3)),
    "the other byte order": np.arange(5, dtype=">f8"),
    "complex in the other byte order": np.array([1 + 2j], ">c8"),
    "read only": np.frombuffer(b"abcdefgh", "i4"),
    "a subclass": np.arange(4).reshape(2, 2).view(Subclass),
    "NaN with a payload": np.frombuffer(struct.pack("<Q", 0x7FF8000000ABCDEF), "f8"),
}


@pytest.mark.parametrize("value", ARRAYS.values(), ids=ARRAYS.keys())
def test_every_array_arrives_as_it_is(value: Any) -> None:  # noqa: ANN401
    found = round_trip({"x": [value]})["x"][0]
    assert are_equal(np.asarray(value), found)
    assert found.dtype == value.dtype.newbyteorder("=")
    assert found.shape == value.shape


def test_booleans_that_are_odd_bytes_are_sent_as_booleans() -> None:
    odd = np.array([0, 2, 255], "u1").view(bool)
    assert bytes(encode_value(odd).segments[0]) == b"\x00\x01\x01"


def test_an_array_that_lies_as_it_is_sent_is_not_copied() -> None:
    value = np.arange(6.0).reshape(2, 3)
    segment = encode_value(value).segments[0]
    value[0, 0] = 9
    assert struct.unpack_from("<d", segment)[0] == 9


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_arrays_of_the_standard_library_are_arrays_of_their_type(code: str) -> None:
    value = array.array(code, [1, 2, 3])
    found = round_trip(value)
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [1, 2, 3]
    assert found.itemsize == value.itemsize
    assert np.issubdtype(found.dtype, np.floating if code in "fd" else np.integer)
    assert are_equal(view_of(value).cast("B").cast(code, (3, 1)), found.reshape(3, 1))


def test_memoryviews_with_a_format_are_arrays() -> None:
    other_order = view_of(np.array([1, 256], ">u2"))
    assert round_trip(other_order).tolist() == [1, 256]
    two_dimensions = view_of(np.arange(6, dtype="u1").reshape(2, 3))
    assert round_trip(two_dimensions).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert round_trip(view_of(np.arange(6, dtype="i2"))[::2]).tolist() == [0, 2, 4]
    assert round_trip(view_of(np.empty((0, 2), "i2"))).shape == (0, 2)
    assert round_trip(view_of(np.array([1 + 2j]))).tolist() == [1 + 2j]


def test_a_tensor_on_the_cpu_is_its_array() -> None:
    value = np.arange(3, dtype="f4")
    assert are_equal(value, round_trip(Tensor(value)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([1], "g"), r"an array of dtype (longdouble|float128)"),
        (np.array([None]), "an array of dtype object"),
        (np.array(["a"]), "an array of dtype <U1"),
        (np.array([b"a"]), r"an array of dtype \|S1"),
        (np.array(["2026"], "M8[D]"), r"an array of dtype datetime64\[D\]"),
        (np.zeros(1, [("a", "i4")]), "an array of dtype"),
        (np.ma.masked_array([1], [True]), "a masked array cannot be sent"),
        (np.broadcast_to(np.zeros(1), (2**20, 2**20)), "no frame can have over 4 GiB"),
        (array.array("u", "a"), "a memoryview of format '[uw]"),
        (Tensor(TypeError("can't convert cuda")), "raised TypeError: can't convert cuda"),
        (Tensor([1]), "__array__ of .* gave a list"),
    ],
)
def test_an_array_that_cannot_be_sent_is_refused_with_its_path(value: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(BridgeError, match=rf"result\.x: .*{message}") as caught:
        encode_value({"x": value})
    assert caught.value.code == "unencodable"


class TestWithoutNumPy:
    @pytest.fixture(autouse=True)
    def without_numpy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # What `import` finds here is that there is no such module.
        monkeypatch.setitem(sys.modules, "numpy", None)

    @pytest.mark.parametrize(
        ("dtype", "code"),
        [
            *[("int8", "b"), ("int16", "h"), ("int32", "i"), ("int64", "q")],
            *[("uint8", "B"), ("uint16", "H"), ("uint32", "I"), ("uint64", "Q")],
            *[("float32", "f"), ("float64", "d"), ("bool", "?")],
        ],
    )
    def test_an_array_is_a_writable_memoryview_and_goes_back_as_an_array(
        self, dtype: str, code: str
    ) -> None:
        data = struct.pack(f"<6{code}", *[index % 2 for index in range(6)])
        for shape in ([6], [2, 3], [1, 6, 1]):
            tag = {"$": "nd", "d": dtype, "s": shape, "i": 0}
            found = decode_value(dict(tag), True, [memoryview(bytearray(data))])
            assert isinstance(found, memoryview)
            assert list(found.shape or ()) == shape
            assert not found.readonly
            encoded = encode_value(found)
            assert json.loads(encoded.text) == tag
            assert bytes(encoded.segments[0]) == data

    @pytest.mark.parametrize(
        ("dtype", "shape", "item_bytes"), [("float64", [], 8), ("int8", [0], 0)]
    )
    def test_an_array_of_one_or_no_element_too(
        self, dtype: str, shape: list[int], item_bytes: int
    ) -> None:
        tag = {"$": "nd", "d": dtype, "s": shape, "i": 0}
        found = decode_value(dict(tag), True, [memoryview(bytearray(item_bytes))])
        assert json.loads(encode_value(found).text) == tag

    @pytest.mark.parametrize(
        ("dtype", "shape", "size_bytes"), [("complex64", [1], 8), ("int8", [2, 0], 0)]
    )
    def test_an_array_that_only_numpy_has_fails_its_call_and_says_why(
        self, dtype: str, shape: list[int], size_bytes: int
    ) -> None:
        tag = {"$": "nd", "d": dtype, "s": shape, "i": 0}
        with pytest.raises(BridgeError, match=f"an array of {dtype} .* needs NumPy") as caught:
            decode_value(tag, True, [memoryview(bytearray(size_bytes))])
        assert caught.value.code == "package_missing"

    def test_a_malformed_message_is_malformed_before_numpy_is_missed(self) -> None:
        tag = {"$": "nd", "d": "complex64", "s": [1], "i": 0}
        with pytest.raises(FrameError):
            decode_value([tag, {"$": "set"}], True, [memoryview(bytearray(8))])

    def test_a_view_in_the_other_byte_order_is_turned(self) -> None:
        is_big = sys.byteorder == "little"
        words = struct.pack(">HH" if is_big else "<HH", 1, 256)
        kind: Any = ctypes.c_uint16.__ctype_be__ if is_big else ctypes.c_uint16.__ctype_le__
        view = memoryview((kind * 2).from_buffer_copy(words))
        assert bytes(encode_value(view).segments[0]) == struct.pack("<HH", 1, 256)
