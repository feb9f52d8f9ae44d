"""Which types may a field of a signature have?

Looked up in closed tables: nothing in a signature is ever evaluated.
"""

from __future__ import annotations

import ast
from typing import Any, Literal

from caduceus._errors import BridgeError

_SCALARS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
_BARE: dict[str, type] = {**_SCALARS, "list": list, "dict": dict}
_ALIASES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_ALLOWED = (
    "str, int, float, bool, list, dict, list[T], dict[str, T], Literal['a', 'b'] "
    "(string, integer, number and boolean are other names of the first four)"
)
_DEPTH_MAX = 4


def read_type(text: str, where: str) -> tuple[str, object]:
    """Read a type that is written as text.

    Parameters
    ----------
    text : str
        E.g. ``list[str]``.
    where : str
        Whose type it is, for the message.

    Returns
    -------
    tuple of (str, type)
        The canonical spelling, and the type.

    Raises
    ------
    BridgeError
        With code ``invalid_signature``.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise invalid_signature(
            f"{where}: cannot read the type {text!r}; allowed: {_ALLOWED}"
        ) from None
    return resolve_type(node, where)


def resolve_type(node: ast.expr, where: str, depth: int = 0) -> tuple[str, object]:
    """Do what `read_type` does, for a type that Python's parser has read.

    Parameters
    ----------
    node : ast.expr
        The type.
    where : str
        Whose type it is, for the message.
    depth : int
        How many types it stands in.

    Returns
    -------
    tuple of (str, type)
        The canonical spelling, and the type.

    Raises
    ------
    BridgeError
        With code ``invalid_signature``.
    """
    if depth <= _DEPTH_MAX:
        if isinstance(node, ast.Name):
            name = _ALIASES.get(node.id, node.id)
            if name in _BARE:
                return name, _BARE[name]
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            resolved = _resolve_subscript(node.value.id, node.slice, where, depth + 1)
            if resolved is not None:
                return resolved
    raise invalid_signature(f"{where}: unknown type {ast.unparse(node)!r}; allowed: {_ALLOWED}")


def _resolve_subscript(
    name: str, inner: ast.expr, where: str, depth: int
) -> tuple[str, object] | None:
    elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        values: list[Any] = [e.value for e in elements if isinstance(e, ast.Constant)]
        if len(values) == len(elements) and all(isinstance(v, (str, int, bool)) for v in values):
            return f"Literal[{', '.join(map(repr, values))}]", Literal[tuple(values)]
        return None
    if name == "list" and len(elements) == 1:
        text, item = resolve_type(elements[0], where, depth)
        return f"list[{text}]", list.__class_getitem__(item)
    if name == "dict" and len(elements) == 2:
        key_text, _key = resolve_type(elements[0], where, depth)
        if key_text != "str":
            raise invalid_signature(f"{where}: the keys of a dict must be str, not {key_text}")
        text, item = resolve_type(elements[1], where, depth)
        return f"dict[str, {text}]", dict.__class_getitem__((str, item))
    return None


def invalid_signature(message: str) -> BridgeError:
    """Return the error for a signature that cannot be used.

    Parameters
    ----------
    message : str
        What is wrong, and where.

    Returns
    -------
    BridgeError
        With code ``invalid_signature``; raise it.
    """
    return BridgeError(f"invalid signature: {message}", code="invalid_signature")
