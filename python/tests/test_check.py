# ruff: noqa: UP007, UP045 - both ways of writing are read
from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Optional, TypedDict, Union

import numpy as np
import pydantic
import pytest

from caduceus._check import Mismatch, build, verify
from caduceus._hints import HintReader


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)
    made: int = field(init=False, default=7)


@dataclass
class Positive:
    n: int

    def __post_init__(self) -> None:
        if self.n <= 0:
            raise ValueError("n must be positive")


class Options(TypedDict, total=False):
    limit: int


class Point(NamedTuple):
    x: float
    y: float = 5.0


class Model(pydantic.BaseModel):
    n: int


def _built(hint: object, value: object) -> object:
    return build(HintReader().read(hint), value, "args")


def _finding(hint: object, value: object) -> str:
    with pytest.raises(Mismatch) as caught:
        _built(hint, value)
    return str(caught.value)


def _is_verified(hint: object, value: object) -> bool:
    try:
        verify(HintReader().read(hint), value, "result")
    except Mismatch:
        return False
    return True


@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (int, 3, 3),
        (int, 3.0, 3),
        (float, 3, 3.0),
        (float, 2.5, 2.5),
        (bool, True, True),
        (str, "a", "a"),
        (None, None, None),
        (list[int], [1, 2.0], [1, 2]),
        (Sequence[float], [1, 2], [1.0, 2.0]),
        (set[int], [1, 1], {1}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2], (1, 2)),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (Color, "blue", Color.BLUE),
        (Literal["a", "b"], "b", "b"),
        (Literal[Color.RED], "red", Color.RED),
        (Optional[int], None, None),
        (Union[float, int], 3, 3),
        (Union[float, int], 3.5, 3.5),
        (Union[list[int], str], "a", "a"),
        (Point, [1, 2], Point(1.0, 2.0)),
        (Point, [1], Point(1.0)),
        (Options, {"limit": 3.0, "more": 1}, {"limit": 3, "more": 1}),
        (Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", [Tree("b")])),
        (Model, {"n": 1}, Model(n=1)),
        (Any, b"bytes", b"bytes"),
        (bytes, "not looked at", "not looked at"),
    ],
)
def test_what_arrives_becomes_what_the_hint_names(
    hint: object, value: object, made: object
) -> None:
    found = _built(hint, value)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    ("hint", "value", "finding"),
    [
        (int, True, "args must be an integer, not bool"),
        (int, 3.5, "args must be an integer, not a float with a fraction"),
        (int, float("nan"), "args must be an integer, not a float with a fraction"),
        (float, False, "args must be a number, not bool"),
        (float, 10**400, "args is too large for a number"),
        (bool, 1, "args must be a boolean, not int"),
        (str, None, "args must be a string, not null"),
        (list[int], "text", "args must be a list, not str"),
        (list[int], np.zeros(2), "args must be a list, not ndarray"),
        (list[int], [1, "a"], "args[1] must be an integer, not str"),
        (dict[str, int], {"a b": "x"}, "args['a b'] must be an integer, not str"),
        (dict[str, int], [1], "args must be an object, not list"),
        (tuple[int, str], [1], "args must have 2 items, not 1"),
        (Point, [1, 2, 3], "args must have 1 to 2 items, not 3"),
        (Color, "green", "args must be one of 'red', 'blue'"),
        (Literal[1], True, "args must be one of 1"),
        (Optional[int], "a", "args must be an integer or null, not str"),
        (Optional[list[int]], ["a"], "args[0] must be an integer, not str"),
        (Tree, {"nam": "a"}, "args.nam is no field of Tree; did you mean name?"),
        (Tree, {"name": "a", "made": 1}, "args.made is no field of Tree; there are name, children"),
        (Tree, {}, "args.name is missing"),
        (Tree, [], "args must be an object, not list"),
        (Positive, {"n": -1}, "args is refused: n must be positive"),
        (set[Any], [[]], "args is refused: unhashable type: 'list'"),
        (Model, {"n": "secret"}, "args.n is refused by Model: Input should be a valid integer"),
    ],
)
def test_what_is_something_else_is_refused_with_its_path(
    hint: object, value: object, finding: str
) -> None:
    assert _finding(hint, value).startswith(finding)


def test_a_finding_never_shows_the_value() -> None:
    for hint in (int, list[int], Literal["a"], Color, Model, dict[str, int], Optional[int]):
        assert "sesame" not in _finding(hint, "sesame")
    assert "sesame" not in _finding(Model, {"n": "sesame"})


def test_a_value_that_is_nested_too_deeply_is_refused() -> None:
    value: dict[str, Any] = {"name": "leaf"}
    for _ in range(2_000):
        value = {"name": "inner", "children": [value]}
    assert _finding(Tree, value) == "args is nested too deeply to be read"


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, np.int64(3)),
        (float, np.float32(0.5)),
        (bool, np.bool_(True)),
        (list[float], (1, 2.5)),
        (list[float], [np.float64(1)]),
        (tuple[int, str], [1, "a"]),
        (Color, Color.RED),
        (Color, "red"),
        (Tree, Tree("a", [Tree("b")])),
        (Tree, {"name": "a", "children": [], "made": 7}),
        (Point, Point(1, 2)),
        (Model, Model(n=1)),
        (Model, {"n": 1}),
        (None, None),
        (np.ndarray, np.zeros(2)),
    ],
)
def test_a_result_may_be_what_the_hint_names_and_what_travels_for_it(
    hint: object, value: object
) -> None:
    assert _is_verified(hint, value)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, "3"),
        (int, True),
        (None, 0),
        (list[int], np.zeros(2)),
        (list[int], ["a"]),
        (Color, "green"),
        (Tree, {"name": "a"}),
        (Tree, Tree(3)),  # type: ignore[arg-type]
        (Model, {"n": "x"}),
    ],
)
def test_a_result_that_is_something_else_is_refused(hint: object, value: object) -> None:
    assert not _is_verified(hint, value)
