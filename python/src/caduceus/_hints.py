"""What does a type hint say of the values that it stands for?

One small tree of shapes, made once for each operation; `_schemas.py` writes it as JSON Schema,
`_check.py` holds values against it. A hint that says nothing we know is any value.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import math
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, Union

from caduceus._hint_names import resolved_hints

NO_DEFAULT = object()

ScalarKind = Literal["boolean", "integer", "number", "string", "null"]


@dataclass(frozen=True, slots=True)
class AnyValue:
    """Whatever can be sent."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts."""

    kind: ScalarKind


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few scalars: a ``Literal``, or the values of an ``Enum``, whose class is `enum`."""

    values: tuple[Any, ...]
    enum: type[enum.Enum] | None = None


@dataclass(frozen=True, slots=True)
class ListOf:
    """Any number of items; `build` makes the container that the hint names."""

    item: Shape
    build: type = list


@dataclass(frozen=True, slots=True)
class TupleOf:
    """So many items, each of its own shape; in a ``NamedTuple``, which `build` is, with names."""

    items: tuple[Shape, ...]
    required: int
    build: Any = tuple
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with any names."""

    value: Shape


@dataclass(slots=True)
class Field:
    """One name of a record."""

    shape: Shape
    is_required: bool
    default: Any = NO_DEFAULT
    is_argument: bool = True


@dataclass(slots=True, eq=False)
class Record:
    """An object with certain names: a dataclass, which `build` makes, a ``TypedDict``, arguments.

    Names that are not among `fields` are of the shape `others`; None if there may be none.
    """

    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    build: Any = None
    others: Shape | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A pydantic model, which has its own schema and its own checks."""

    model: Any


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several shapes; the first that fits is taken."""

    options: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """A shape, and what it is for, in words: the text of an ``Annotated``."""

    shape: Shape
    text: str


Shape: TypeAlias = (
    AnyValue | Scalar | Choice | ListOf | TupleOf | MapOf | Record | Model | OneOf | Described
)

ANY = AnyValue()
NULL = Scalar("null")

_SCALARS: dict[Any, Scalar] = {
    bool: Scalar("boolean"),
    int: Scalar("integer"),
    float: Scalar("number"),
    str: Scalar("string"),
    None: NULL,
    type(None): NULL,
}
_LISTS: dict[Any, type] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
    set: set,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
    frozenset: frozenset,
}
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_WRAPPERS = ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar")


class HintReader:
    """Read hints; one for each operation, so that a record that names itself is one record."""

    def __init__(self) -> None:
        self._records: dict[Any, Record] = {}

    def read(self, hint: Any) -> Shape:  # noqa: ANN401 - a hint may be anything
        """Return the shape that `hint` stands for.

        Parameters
        ----------
        hint : Any
            A type, a generic alias, or whatever else stands behind a colon.

        Returns
        -------
        Shape
            `ANY` for what is not known.
        """
        try:
            scalar = _SCALARS.get(hint)
        except TypeError:
            return ANY  # not hashable: no type at all
        if scalar is not None:
            return scalar
        origin = typing.get_origin(hint)
        if origin is None:
            return self._read_plain(hint)
        return self._read_generic(hint, origin, typing.get_args(hint))

    def _read_plain(self, hint: Any) -> Shape:  # noqa: ANN401
        if hint in _LISTS:
            return ListOf(ANY, _LISTS[hint])
        if hint in _MAPS:
            return MapOf(ANY)
        if hint is tuple:
            return ListOf(ANY, tuple)
        if not isinstance(hint, type):
            # A NewType, or the alias of a type statement, stands for another hint.
            inner = getattr(hint, "__supertype__", getattr(hint, "__value__", None))
            return ANY if inner is None else self.read(inner)
        if issubclass(hint, enum.Enum):
            return _enum_shape(hint)
        if hasattr(hint, "model_json_schema") and hasattr(hint, "model_validate"):
            return Model(hint)
        if dataclasses.is_dataclass(hint):
            return self._read_dataclass(hint)
        if issubclass(hint, tuple) and hasattr(hint, "_fields"):
            return self._read_named_tuple(hint)
        if issubclass(hint, dict) and hasattr(hint, "__required_keys__"):
            return self._read_typed_dict(hint)
        return ANY

    def _read_generic(self, hint: Any, origin: Any, args: tuple[Any, ...]) -> Shape:  # noqa: ANN401
        if origin is Literal:
            return _literal_shape(args)
        if origin in (Union, types.UnionType):
            # An exception among the answers of a batch is an error, and no value.
            return _union_shape([self.read(arg) for arg in args if not _is_exception(arg)])
        if origin is typing.Annotated:
            shape = self.read(args[0])
            texts = [text for text in hint.__metadata__ if isinstance(text, str)]
            return Described(shape, texts[0]) if texts else shape
        if origin is tuple:
            if len(args) == 2 and args[1] is Ellipsis:
                return ListOf(self.read(args[0]), tuple)
            items = tuple([self.read(arg) for arg in args])
            return TupleOf(items, len(items))
        if origin in _LISTS:
            return ListOf(self.read(args[0]), _LISTS[origin])
        if origin in _MAPS:
            return MapOf(self.read(args[1]))
        if getattr(origin, "_name", None) in _WRAPPERS:
            return self.read(args[0])
        # A generic class with its parameters filled in: without them it may be known.
        return self._read_plain(origin)

    def _read_dataclass(self, cls: Any) -> Shape:  # noqa: ANN401
        if cls in self._records:
            return self._records[cls]
        record = self._records[cls] = Record(cls.__name__, build=cls)
        hints = resolved_hints(cls)
        for each in dataclasses.fields(cls):
            has_default = (
                each.default is not dataclasses.MISSING
                or each.default_factory is not dataclasses.MISSING
            )
            record.fields[each.name] = Field(
                self.read(hints.get(each.name, Any)),
                is_required=not has_default and each.init,
                default=each.default,
                is_argument=each.init,
            )
        return record

    def _read_typed_dict(self, cls: Any) -> Shape:  # noqa: ANN401
        if cls in self._records:
            return self._records[cls]
        record = self._records[cls] = Record(cls.__name__, others=ANY)
        for name, hint in resolved_hints(cls).items():
            wrapper = getattr(typing.get_origin(hint), "_name", None)
            is_required = name in cls.__required_keys__
            if wrapper in ("Required", "NotRequired"):
                # With postponed annotations the class itself does not know.
                is_required = wrapper == "Required"
            record.fields[name] = Field(self.read(hint), is_required)
        return record

    def _read_named_tuple(self, cls: Any) -> Shape:  # noqa: ANN401
        hints = resolved_hints(cls)
        names: tuple[str, ...] = cls._fields
        items = tuple([self.read(hints.get(name, Any)) for name in names])
        return TupleOf(items, len(items) - len(cls._field_defaults), cls, names)


def _literal_shape(values: tuple[Any, ...]) -> Shape:
    members = [value for value in values if isinstance(value, enum.Enum)]
    if members and len(members) == len(values) and len({type(member) for member in members}) == 1:
        return _choice(tuple([member.value for member in members]), type(members[0]))
    return _choice(values, None)


def _enum_shape(cls: type[enum.Enum]) -> Shape:
    return _choice(tuple([member.value for member in cls]), cls)


def _choice(values: tuple[Any, ...], cls: type[enum.Enum] | None) -> Shape:
    return Choice(values, cls) if values and all(map(is_plain_scalar, values)) else ANY


def is_plain_scalar(value: object) -> bool:
    """Say whether JSON has `value` as it is, without parts."""
    if isinstance(value, float):
        return type(value) is float and math.isfinite(value)
    return value is None or type(value) in (bool, int, str)


def _is_exception(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseException)


def _union_shape(options: list[Shape]) -> Shape:
    if not options or any(isinstance(option, AnyValue) for option in options):
        return ANY
    # An integer is a number too: who takes both shall get it as it came.
    ordered = sorted(options, key=lambda option: option == Scalar("number"))
    return ordered[0] if len(ordered) == 1 else OneOf(tuple(ordered))
