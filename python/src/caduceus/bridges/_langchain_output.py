"""Is what a model wrote the JSON that was asked for?

Servers that enforce a schema make this a formality; others take it for a wish.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus.bridges._arguments import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_NAME = "answer"


def response_format(schema: object) -> dict[str, Any] | None:
    """Return what a request says of the form of its answer.

    Parameters
    ----------
    schema : dict or None
        JSON Schema of an object; None for text.

    Returns
    -------
    dict or None
        As OpenAI's protocol has it.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    if schema is None:
        return None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise invalid("create_chain: output_schema must be the JSON Schema of an object")
    name = str(schema.get("title") or _NAME)
    usable = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)[:64]
    return {"type": "json_schema", "json_schema": {"name": usable, "schema": schema}}


def read_output(text: str, schema: Mapping[str, Any]) -> object:
    """Read an answer.

    Parameters
    ----------
    text : str
        What the model wrote.
    schema : mapping
        What it was asked for: types, properties, required ones, items and enums are looked at.

    Returns
    -------
    dict
        The value.

    Raises
    ------
    BridgeError
        With code ``invalid_output``, naming the place.
    """
    try:
        value: object = json.loads(text)
    except ValueError as error:
        raise _refused(f"it is no JSON: {error}") from error
    finding = _finding(value, schema, "output")
    if finding is not None:
        raise _refused(finding)
    return value


def _finding(value: object, schema: Mapping[str, Any], path: str) -> str | None:
    allowed = schema.get("enum")
    if isinstance(allowed, list) and value not in allowed:
        return f"{path} is none of the values allowed"
    names = schema.get("type")
    kinds = [names] if isinstance(names, str) else (names or [])
    if kinds and not any(_is_of(value, kind) for kind in kinds):
        return f"{path} must be of type {' or '.join(kinds)}"
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        missing = [name for name in schema.get("required", []) if name not in value]
        if missing:
            return f"{path}.{missing[0]} is missing"
        parts = [(f"{path}.{k}", value[k], s) for k, s in properties.items() if k in value]
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        parts = [(f"{path}[{i}]", item, schema["items"]) for i, item in enumerate(value)]
    else:
        return None
    found = (_finding(item, part, where) for where, item, part in parts if isinstance(part, dict))
    return next((finding for finding in found if finding is not None), None)


def _is_of(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _refused(finding: str) -> BridgeError:
    return BridgeError(
        f"the model's answer does not follow output_schema: {finding}", code="invalid_output"
    )
