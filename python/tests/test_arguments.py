from __future__ import annotations

from typing import Any

import pytest

from caduceus import BridgeError
from caduceus.bridges._arguments import Argument, check_arguments

EXPECTED = {
    "name": Argument((str,), is_required=True),
    "ratio": Argument((float,), minimum=0),
    "count": Argument((int,), minimum=1),
    "flag": Argument((bool,)),
    "shape": Argument((str, dict)),
}


@pytest.mark.parametrize(
    "args",
    [
        {"name": "a"},
        {"name": "a", "ratio": 0, "count": 1, "flag": False, "shape": {}},
        {"name": "a", "ratio": 0.5, "count": None, "flag": None, "shape": "x"},
    ],
)
def test_good_arguments_pass(args: dict[str, Any]) -> None:
    before = dict(args)
    check_arguments("op", args, EXPECTED)
    assert args == before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, r"op needs name \(a string\)"),
        ({"name": None}, "op needs name"),
        ({"name": ""}, "name must not be empty"),
        ({"name": 1}, "name must be a string, not int"),
        ({"name": "a", "other": 1}, "op does not take other; it takes name, ratio"),
        ({"name": "a", "ratio": "1"}, "ratio must be a number, not str"),
        ({"name": "a", "ratio": True}, "ratio must be a number, not bool"),
        ({"name": "a", "ratio": -0.1}, "ratio must be at least 0, not -0.1"),
        ({"name": "a", "count": 1.5}, "count must be an integer, not float"),
        ({"name": "a", "count": 0}, "count must be at least 1, not 0"),
        ({"name": "a", "flag": 1}, "flag must be a boolean, not int"),
        ({"name": "a", "shape": []}, "shape must be a string or an object, not list"),
    ],
)
def test_bad_arguments_are_refused_by_name(args: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgeError, match=message) as caught:
        check_arguments("op", args, EXPECTED)
    assert caught.value.code == "invalid_arguments"
