from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from caduceus import BridgeError
from caduceus._frames import SEGMENTS_MAX, FrameError
from caduceus._tagging import DEPTH_MAX, INTEGER_HEX_DIGITS_MAX, INTEGER_MAX
from caduceus._values import EncodedValue, decode_value, encode_value
from equality import are_identical, round_trip


class Colour(IntEnum):
    RED = 1
    HUGE = 2**60


class Shape(Enum):
    ROUND = "round"
    PAIR = (1, float("nan"))


@dataclass
class Row:
    name: str
    scores: Any
    missing: int = field(init=False)


@dataclass
class Node:
    child: Any


class Model(BaseModel):
    name: str
    at: datetime | None = None


class ToDict:
    def __init__(self, made: object) -> None:
        self.made = made

    def to_dict(self) -> object:
        if isinstance(self.made, Exception):
            raise self.made
        return self.made


class Endless:
    def to_dict(self) -> object:
        return Endless()


def _nested(depth: int, inmost: object = None) -> object:
    value: object = [] if inmost is None else inmost
    for _ in range(depth - 1):
        value = [value]
    return value


def _cyclic() -> dict[str, Any]:
    value: dict[str, Any] = {"rows": []}
    value["rows"].append({"up": value})
    return value


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (None, None),
        (True, True),
        ("é \ud83d", "é \ud83d"),
        (1.5, 1.5),
        (INTEGER_MAX, INTEGER_MAX),
        (-INTEGER_MAX, -INTEGER_MAX),
        (1e300, 1e300),
        ((1, (2,)), [1, [2]]),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        ({"1": "a key of digits is a str"}, {"1": "a key of digits is a str"}),
        (
            ["12345678901234567890", 0.12345678901234567],
            ["12345678901234567890", 0.12345678901234567],
        ),
        ([Colour.RED], [1]),
        ({"cost": "$5"}, {"cost": "$5"}),
    ],
)
def test_what_json_can_carry_is_sent_as_it_is(value: object, arrives: object) -> None:
    encoded = encode_value(value)
    assert json.loads(encoded.text) == arrives
    assert encoded == EncodedValue(encoded.text, False, ())


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (Shape.ROUND, "round"),
        ([Shape.PAIR], [[1, float("nan")]]),
        (Colour.HUGE, 2**60),
        (10**400, 10**400),
        (date(2026, 2, 28), "2026-02-28"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a/b"), "/a/b"),
        (Path("x"), "x"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"abcd")[::2], b"ac"),
        (memoryview(b""), b""),
        (memoryview(b"ab").cast("c"), b"ab"),
        (Row("a", np.float32(0.5)), {"name": "a", "scores": 0.5}),
        (Model(name="m"), {"name": "m", "at": None}),
        (ToDict({"a": ToDict([1, 2])}), {"a": [1, 2]}),
        (ToDict(float("inf")), float("inf")),
        (
            [np.int64(2**60), np.bool_(True), np.float16(0.5), np.str_("s"), np.float64(1.5)],
            [2**60, True, 0.5, "s", 1.5],
        ),
        ({"$": 1, "$$a": {"$b": float("nan")}}, {"$": 1, "$$a": {"$b": float("nan")}}),
        (
            datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            datetime(2026, 1, 1, tzinfo=timezone.utc),
        ),
    ],
)
def test_what_json_lacks_arrives(value: object, arrives: object) -> None:
    assert are_identical(arrives, round_trip(value))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {1: "x"}}, r"result\.a: a key is of type int; keys must be str"),
        ({None: 1}, "result: a key is of type NoneType"),
        ([{True: 1}], r"result\[0\]: a key is of type bool"),
        ({"a": {(1, 2): 1}}, r"result\.a: a key is of type tuple"),
        ({"when": [object()]}, r"result\.when\[0\]: a value of type object cannot be sent"),
        ({"a b": [{1, 2}]}, r"result\['a b'\]\[0\]: a value of type set"),
        ({"n": float("nan"), "rows": [0, {"x": 1j}]}, r"result\.rows\[1\]\.x: .* type complex"),
        (Decimal("1"), "result: a value of type decimal.Decimal"),
        (datetime(2026, 1, 1), "result: a datetime without a time zone"),
        (
            datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
            "outside of the years 1 to 9999 in UTC",
        ),
        (timedelta(1), "type datetime.timedelta"),
        (dict, "result: a value of type type"),
        (Row, "result: a value of type type"),
        (Model, "result: a value of type pydantic"),
        (np.longdouble(1), "type numpy.longdouble"),
        (np.complex64(1), "type numpy.complex64"),
        (np.datetime64("2026-01-01"), "type numpy.datetime64"),
        ([2 ** (4 * INTEGER_HEX_DIGITS_MAX)], r"result\[0\]: an int of 65537 hexadecimal digits"),
        (Node([ToDict(ValueError("no"))]), r"result\.child\[0\]: to_dict\(\) of .* raised Value"),
        (Endless(), "more than 16 conversions"),
        ([b""] * (SEGMENTS_MAX + 1), r"result\[65536\]: more than 65536"),
        (_cyclic(), r"result\.rows\[0\]\.up: the dict contains itself"),
        (_nested(DEPTH_MAX + 1), "nested deeper than 512"),
        (_nested(100_000), "nested deeper than 512"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_path(value: object, message: str) -> None:
    with pytest.raises(BridgeError, match=message) as caught:
        encode_value(value)
    assert caught.value.code == "unencodable"
    assert len(str(caught.value)) < 1000


def test_the_failure_of_a_method_is_the_cause() -> None:
    failure = ValueError("no")
    with pytest.raises(BridgeError) as caught:
        encode_value(ToDict(failure))
    assert caught.value.__cause__ is failure


def test_an_object_that_contains_itself_by_its_fields_is_refused() -> None:
    node = Node(None)
    node.child = [node]
    with pytest.raises(BridgeError, match=r"result\.child\[0\]\.child: the list contains itself"):
        encode_value(node)
    node.child = node
    with pytest.raises(BridgeError, match="nested deeper than 512"):
        encode_value(node)


def test_a_mock_has_every_attribute_and_no_value() -> None:
    class Mock:
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401
            return Mock()

    with pytest.raises(BridgeError, match="Mock cannot be sent"):
        encode_value(Mock())


def test_the_deepest_allowed_nesting_is_sent() -> None:
    assert encode_value(_nested(DEPTH_MAX)).text == "[" * DEPTH_MAX + "]" * DEPTH_MAX
    with_tag = round_trip(_nested(DEPTH_MAX, [float("inf")]))
    for _ in range(DEPTH_MAX - 1):
        (with_tag,) = with_tag
    assert with_tag == [float("inf")]


def test_a_tagged_value_that_is_nested_too_deeply_is_malformed() -> None:
    with pytest.raises(FrameError, match="nested deeper than 512"):
        decode_value(_nested(DEPTH_MAX + 1, [{"$": "nan"}]), True, ())


def test_a_shared_part_is_not_a_cycle() -> None:
    part = {"n": 1, "x": float("nan")}
    assert are_identical({"a": part, "b": [part, part]}, round_trip({"a": part, "b": [part, part]}))


def test_the_value_itself_is_not_changed() -> None:
    value = {"$a": [float("nan"), (1, 2**60)]}
    encode_value(value)
    assert repr(value) == "{'$a': [nan, (1, 1152921504606846976)]}"


def test_a_date_far_from_1970_is_not_rounded_up_to_the_next_millisecond() -> None:
    last = datetime.max.replace(tzinfo=timezone.utc)
    assert json.loads(encode_value(last).text) == {"$": "date", "v": 253402300799999}
