# ruff: noqa: UP007, UP045, PYI061 - both ways of writing are read
from __future__ import annotations

import collections.abc
import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)

import pydantic
import pytest
from typing_extensions import NotRequired

from caduceus._hint_names import resolved_hints
from caduceus._hints import HintReader
from caduceus._schemas import schema_of

if TYPE_CHECKING:
    from somewhere_else import Unknown  # type: ignore[import-not-found]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Odd(enum.Enum):
    THING = (1, 2)


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)
    size: int = 3
    depth: int = field(init=False, default=0)


@dataclass
class Pair:
    left: Tree
    right: Optional[Color] = None


class Opened(TypedDict):
    a: int
    b: NotRequired[str]


class Point(NamedTuple):
    x: float
    y: float = 0.0


class Inner(pydantic.BaseModel):
    n: int


class Outer(pydantic.BaseModel):
    inner: Inner
    many: list[Inner] = []


T = TypeVar("T")


@dataclass
class Box(Generic[T]):
    content: T


UserId = NewType("UserId", int)


def _schema(hint: object, direction: Literal["args", "result"] = "args") -> dict[str, Any]:
    return schema_of(HintReader().read(hint), direction)


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (bool, {"type": "boolean"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (str, {"type": "string"}),
        (None, {"type": "null"}),
        (UserId, {"type": "integer"}),
        (list, {"type": "array", "items": {}}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (Sequence[str], {"type": "array", "items": {"type": "string"}}),
        (collections.abc.Iterable[str], {"type": "array", "items": {"type": "string"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (tuple, {"type": "array", "items": {}}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (tuple[()], {"type": "array", "minItems": 0, "maxItems": 0}),
        (
            tuple[int, str],
            {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
            },
        ),
        (dict, {"type": "object"}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Literal["a", 1, None], {"enum": ["a", 1, None]}),
        (Color, {"enum": ["red", "blue"]}),
        (Level, {"enum": [1]}),
        (Literal[Color.RED], {"enum": ["red"]}),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Union[float, int], {"anyOf": [{"type": "integer"}, {"type": "number"}]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (float | ValueError, {"type": "number"}),
        (Annotated[int, "how many"], {"type": "integer", "description": "how many"}),
        (Annotated[int, 5], {"type": "integer"}),
    ],
)
def test_hints_that_json_knows_are_said_in_its_words(hint: object, schema: object) -> None:
    assert _schema(hint) == schema


@pytest.mark.parametrize(
    "hint",
    [Any, object, bytes, datetime, Odd, complex, T, type[int], "text", 5, [], int | Any, dict.get],
)
def test_what_is_not_known_is_any_value(hint: object) -> None:
    assert _schema(hint) == {}


def test_a_dataclass_that_holds_itself_is_defined_once() -> None:
    tree = {
        "title": "Tree",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
            "size": {"type": "integer", "default": 3},
        },
        "required": ["name"],
        "additionalProperties": False,
    }
    assert _schema(Tree) == {"$ref": "#/$defs/Tree", "$defs": {"Tree": tree}}
    pair = _schema(Pair)
    assert pair["properties"]["left"] == {"$ref": "#/$defs/Tree"}
    assert pair["$defs"] == {"Tree": tree}
    assert pair["properties"]["right"]["default"] is None


def test_a_result_has_all_fields_of_its_dataclass() -> None:
    tree = _schema(Tree, "result")["$defs"]["Tree"]
    assert tree["required"] == ["name", "children", "size", "depth"]


def test_a_typed_dict_says_what_must_be_there_also_with_postponed_annotations() -> None:
    assert _schema(Opened) == {
        "title": "Opened",
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "required": ["a"],
    }


def test_a_named_tuple_travels_as_a_list_whose_items_have_names() -> None:
    schema = _schema(Point)
    assert [item["title"] for item in schema["prefixItems"]] == ["x", "y"]
    assert (schema["minItems"], schema["maxItems"]) == (1, 2)


def test_a_pydantic_model_has_its_own_schema_with_its_parts_beside_it() -> None:
    schema = _schema(list[Outer])
    assert schema["items"] == {"$ref": "#/$defs/Outer"}
    outer = schema["$defs"]["Outer"]
    assert outer["properties"]["inner"] == {"$ref": "#/$defs/Outer.Inner"}
    assert schema["$defs"]["Outer.Inner"]["properties"]["n"]["type"] == "integer"


def test_a_generic_dataclass_is_known_but_for_what_it_is_generic_in() -> None:
    assert _schema(Box[int])["properties"] == {"content": {}}


def test_a_hint_that_cannot_be_resolved_is_any_value_and_the_others_stay() -> None:
    def function(a: Unknown, b: int, c: collections.abc.Sequence[Unknown]) -> str:
        return str(b)

    hints = resolved_hints(function)
    assert hints == {"a": Any, "b": int, "c": Any, "return": str}


def test_what_only_a_type_checker_imports_is_found_where_it_comes_from() -> None:
    source = "def f(a: Iterator[int], b: Unknown, ctx: CallContext) -> Mapping[str, int]: ..."
    scope: dict[str, Any] = {}
    exec(f"from __future__ import annotations\n{source}", scope)
    hints = resolved_hints(scope["f"])
    assert hints["a"].__args__ == (int,)
    assert hints["b"] is Any
    assert hints["ctx"].__name__ == "CallContext"
    assert hints["return"].__args__ == (str, int)
