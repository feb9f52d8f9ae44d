"""Is a value what a hint says, and how does what arrived become what the hint names?

Findings name a path and types, never values: one of them may be a secret.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from caduceus._hints import (
    AnyValue,
    Choice,
    Described,
    ListOf,
    MapOf,
    Model,
    OneOf,
    Record,
    Scalar,
    TupleOf,
)
from caduceus._nearest import suggestion

if TYPE_CHECKING:
    from caduceus._hints import ScalarKind, Shape

INTEGER_FLOAT_MAX = 2**53
"""Beyond it a float does not say which integer it is."""

_NAMES: dict[ScalarKind, str] = {
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "null": "null",
}
_EXACT: dict[ScalarKind, frozenset[type]] = {
    "boolean": frozenset((bool,)),
    "integer": frozenset((int,)),
    "number": frozenset((float,)),
    "string": frozenset((str,)),
    "null": frozenset((type(None),)),
}


class Mismatch(Exception):
    """A value is not what it should be.

    Parameters
    ----------
    path : str
        Where it is, e.g. ``args.rows[3].score``.
    problem : str
        What is wrong there.

    Attributes
    ----------
    path : str
        As given.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}")
        self.path = path


def build(shape: Shape, value: Any, path: str) -> Any:  # noqa: ANN401 - any value, any shape
    """Return what arrived as what the hint names.

    Parameters
    ----------
    shape : Shape
        Of the hint.
    value : Any
        What arrived.
    path : str
        What it is called.

    Returns
    -------
    Any
        With dataclasses, enums, models and tuples in their places.

    Raises
    ------
    Mismatch
        If it is something else.
    """
    try:
        return _Reader(is_result=False).read(shape, value, path)
    except RecursionError:
        raise Mismatch(path, "is nested too deeply to be read") from None


def verify(shape: Shape, value: Any, path: str) -> None:  # noqa: ANN401
    """Refuse a result that is not what the hint says.

    Parameters
    ----------
    shape : Shape
        Of the hint.
    value : Any
        What a handler returned: also an instance of what the hint names.
    path : str
        What it is called.

    Raises
    ------
    Mismatch
        If it is something else.
    """
    _Reader(is_result=True).read(shape, value, path)


class _Reader:
    def __init__(self, *, is_result: bool) -> None:
        self._is_result = is_result

    def read(self, shape: Shape, value: Any, path: str) -> Any:  # noqa: ANN401
        if isinstance(shape, AnyValue):
            return value
        if isinstance(shape, Scalar):
            return self._read_scalar(shape.kind, value, path)
        if isinstance(shape, ListOf):
            return self._read_list(shape, value, path)
        if isinstance(shape, Record):
            return self._read_record(shape, value, path)
        if isinstance(shape, OneOf):
            return self._read_one(shape, value, path)
        if isinstance(shape, MapOf):
            return self._read_map(shape, value, path)
        if isinstance(shape, Choice):
            return _read_choice(shape, value, path)
        if isinstance(shape, TupleOf):
            return self._read_tuple(shape, value, path)
        if isinstance(shape, Described):
            return self.read(shape.shape, value, path)
        return self._read_model(shape, value, path)

    def _read_scalar(self, kind: ScalarKind, value: Any, path: str) -> Any:  # noqa: ANN401
        if type(value) in _EXACT[kind]:
            return value
        if self._is_result and hasattr(value, "dtype") and getattr(value, "shape", None) == ():
            # A scalar of NumPy's, which travels as the value that it holds.
            value = value.item()
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if kind == "number" and is_number:
            try:
                return float(value)
            except OverflowError:
                raise Mismatch(path, "is too large for a number") from None
        if kind == "integer" and is_number:
            if isinstance(value, int):
                return value
            if value.is_integer() and abs(value) <= INTEGER_FLOAT_MAX:
                return int(value)
            raise Mismatch(path, "must be an integer, not a float with a fraction")
        if (kind == "string" and isinstance(value, str)) or type(value) in _EXACT[kind]:
            return value
        raise Mismatch(path, f"must be {_NAMES[kind]}, not {_kind_of(value)}")

    def _read_list(self, shape: ListOf, value: Any, path: str) -> Any:  # noqa: ANN401
        accepted = (list, tuple, set, frozenset) if self._is_result else (list, tuple)
        if not isinstance(value, accepted):
            raise Mismatch(path, f"must be a list, not {_kind_of(value)}")
        item = shape.item
        if isinstance(item, AnyValue) or (
            # One look at a set of types instead of one at each item of a long list.
            isinstance(item, Scalar) and _EXACT[item.kind].issuperset(map(type, value))
        ):
            items: Any = value
        else:
            items = [self.read(item, each, f"{path}[{i}]") for i, each in enumerate(value)]
        return self._made(shape.build, (items,), path) if type(items) is not shape.build else items

    def _read_tuple(self, shape: TupleOf, value: Any, path: str) -> Any:  # noqa: ANN401
        if not isinstance(value, (list, tuple)):
            raise Mismatch(path, f"must be a list, not {_kind_of(value)}")
        if not shape.required <= len(value) <= len(shape.items):
            counts = sorted({shape.required, len(shape.items)})
            wanted = " to ".join(map(str, counts))
            raise Mismatch(path, f"must have {wanted} items, not {len(value)}")
        items = [
            self.read(item, each, f"{path}[{i}]")
            for i, (item, each) in enumerate(zip(shape.items, value, strict=False))
        ]
        return self._made(shape.build, items if shape.names else (items,), path)

    def _read_map(self, shape: MapOf, value: Any, path: str) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            raise Mismatch(path, f"must be an object, not {_kind_of(value)}")
        if isinstance(shape.value, AnyValue):
            return value
        return {key: self.read(shape.value, each, at(path, key)) for key, each in value.items()}

    def _read_record(self, record: Record, value: Any, path: str) -> Any:  # noqa: ANN401
        is_made = record.build is not None and isinstance(value, record.build)
        if is_made and not self._is_result:
            return value
        if is_made:
            value = {name: getattr(value, name) for name in record.fields if hasattr(value, name)}
        if not isinstance(value, dict):
            raise Mismatch(path, f"must be an object, not {_kind_of(value)}")
        fields = record.fields
        if not self._is_result:
            fields = {name: field for name, field in fields.items() if field.is_argument}
        built = {}
        for name in value:
            if name in fields:
                continue
            if record.others is None:
                what = f"field of {record.name}" if record.name else "argument"
                known = suggestion(str(name), list(fields))
                raise Mismatch(at(path, name), f"is no {what}; {known}")
            built[name] = self.read(record.others, value[name], at(path, name))
        for name, field in fields.items():
            if name in value:
                built[name] = self.read(field.shape, value[name], at(path, name))
            elif field.is_required or (self._is_result and record.build is not None):
                raise Mismatch(at(path, name), "is missing")
        if record.build is None or self._is_result:
            return built
        return self._made(lambda: record.build(**built), (), path)

    def _read_one(self, shape: OneOf, value: Any, path: str) -> Any:  # noqa: ANN401
        deepest: Mismatch | None = None
        for option in shape.options:
            try:
                return self.read(option, value, path)
            except Mismatch as mismatch:
                if deepest is None or len(mismatch.path) > len(deepest.path):
                    deepest = mismatch
        if deepest is not None and len(deepest.path) > len(path):
            # It was meant to be this one, and is wrong further in.
            raise deepest
        names = " or ".join([_name_of(option) for option in shape.options])
        raise Mismatch(path, f"must be {names}, not {_kind_of(value)}")

    def _read_model(self, shape: Model, value: Any, path: str) -> Any:  # noqa: ANN401
        if isinstance(value, shape.model):
            return value
        try:
            return shape.model.model_validate(value)
        except ValueError as error:
            raise _mismatch_of_model(shape.model, error, path) from None

    def _made(self, make: Any, args: Any, path: str) -> Any:  # noqa: ANN401
        """Make what the hint names; a constructor may have checks of its own."""
        if self._is_result:
            return None
        try:
            return make(*args)
        except (TypeError, ValueError) as error:
            raise Mismatch(path, f"is refused: {error}") from error


def at(path: str, key: object) -> str:
    """Return the path of what `path` has under `key`."""
    return f"{path}.{key}" if isinstance(key, str) and key.isidentifier() else f"{path}[{key!r}]"


def _read_choice(shape: Choice, value: Any, path: str) -> Any:  # noqa: ANN401
    plain = value.value if isinstance(value, enum.Enum) else value
    for allowed in shape.values:
        # True is 1 to Python, and not to anyone else; 1.0 is 1 to JavaScript.
        if allowed == plain and isinstance(allowed, bool) == isinstance(plain, bool):
            return allowed if shape.enum is None else shape.enum(allowed)
    raise Mismatch(path, f"must be {_name_of(shape)}")


def _mismatch_of_model(model: Any, error: Any, path: str) -> Mismatch:  # noqa: ANN401
    """Say what pydantic found first, without the value that it would show."""
    try:
        first = error.errors(include_url=False, include_input=False)[0]
    except (AttributeError, IndexError, TypeError):
        return Mismatch(path, f"is no {model.__name__}: {error}")
    for key in first["loc"]:
        path = f"{path}[{key}]" if isinstance(key, int) else at(path, key)
    return Mismatch(path, f"is refused by {model.__name__}: {first['msg']}")


def _kind_of(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _name_of(shape: Shape) -> str:
    if isinstance(shape, Scalar):
        return _NAMES[shape.kind]
    if isinstance(shape, (ListOf, TupleOf)):
        return "a list"
    if isinstance(shape, Choice):
        return "one of " + ", ".join([repr(value) for value in shape.values])
    if isinstance(shape, Described):
        return _name_of(shape.shape)
    if isinstance(shape, (Record, Model)):
        return getattr(shape, "name", None) or str(getattr(shape, "model").__name__)  # noqa: B009
    return "an object"
