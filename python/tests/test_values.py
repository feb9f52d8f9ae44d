from __future__ import annotations

import json
from enum import IntEnum
from typing import Any

import pytest

from caduceus import BridgeError
from caduceus._values import DEPTH_MAX, INTEGER_MAX, encode_value


class Colour(IntEnum):
    RED = 1
    HUGE = 2**60


def _nested(depth: int) -> object:
    value: object = []
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
    ],
)
def test_what_json_can_carry_arrives(value: object, arrives: object) -> None:
    assert json.loads(encode_value(value)) == arrives


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "result: the float nan cannot be sent"),
        (
            {"rows": [0, 1, 2, {"score": float("-inf")}]},
            r"result\.rows\[3\]\.score: the float -inf",
        ),
        ({"a b": [2**53]}, r"result\['a b'\]\[0\]: an int beyond"),
        (-(2**53), "result: an int beyond"),
        ([Colour.HUGE], r"result\[0\]: an int beyond"),
        ({"a": {1: "x"}}, r"result\.a: a key is of type int; keys must be str"),
        ({None: 1}, "result: a key is of type NoneType"),
        ([{True: 1}], r"result\[0\]: a key is of type bool"),
        ({"a": {(1, 2): 1}}, r"result\.a: a key is of type tuple"),
        ({"when": [object()]}, r"result\.when\[0\]: a value of type object has no JSON form"),
        ({"data": b"x"}, r"result\.data: a value of type bytes"),
        ({1, 2}, "result: a value of type set"),
        (_cyclic(), r"result\.rows\[0\]\.up: the dict contains itself"),
        (_nested(DEPTH_MAX + 1), "nested deeper than 512"),
        (_nested(100_000), "nested deeper than 512"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_path(value: object, message: str) -> None:
    with pytest.raises(BridgeError, match=message) as caught:
        encode_value(value)
    assert caught.value.code == "unencodable"
    assert len(str(caught.value)) < 500


def test_the_deepest_allowed_nesting_is_sent() -> None:
    assert encode_value(_nested(DEPTH_MAX)) == "[" * DEPTH_MAX + "]" * DEPTH_MAX


def test_a_shared_part_is_not_a_cycle() -> None:
    part = {"n": 1}
    assert json.loads(encode_value({"a": part, "b": [part, part]})) == {
        "a": part,
        "b": [part, part],
    }
