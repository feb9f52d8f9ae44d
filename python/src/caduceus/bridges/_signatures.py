"""What does a signature say, and is it valid?

Reads both forms, the string and the object, into one description, without DSPy: names and types are
looked up in closed tables, nothing in a signature is ever evaluated.
"""

from __future__ import annotations

import ast
import keyword
from dataclasses import dataclass
from typing import Any

from caduceus.bridges._signature_types import invalid_signature, read_type, resolve_type

# DSPy gives these keyword arguments of a program a meaning of their own, or uses the name in its
# prompt format.
_RESERVED = frozenset(
    (
        *("completed", "config", "demos", "fields", "input_fields", "instructions", "lm"),
        *("new_signature", "output_fields", "prediction", "self", "signature"),
    )
)
_FIELD_KEYS = frozenset(("name", "type", "description"))
_SIGNATURE_KEYS = frozenset(("name", "description", "inputs", "outputs", "instructions"))


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a signature.

    Attributes
    ----------
    name : str
        A Python identifier.
    type_text : str
        The type in its canonical spelling.
    annotation : object
        The type itself.
    description : str or None
        What the field means, for the language model.
    """

    name: str
    type_text: str
    annotation: object
    description: str | None = None

    def as_object(self) -> dict[str, str]:
        """Return the structured form."""
        written = {"name": self.name, "type": self.type_text}
        if self.description is not None:
            written["description"] = self.description
        return written


@dataclass(frozen=True, slots=True)
class SignatureSpec:
    """What goes into a program and what comes out.

    Attributes
    ----------
    inputs, outputs : tuple of FieldSpec
        In order; `outputs` is not empty.
    instructions : str or None
        The task in words; None leaves it to DSPy.
    name : str or None
        What the signature is called; None leaves it to DSPy.
    """

    inputs: tuple[FieldSpec, ...]
    outputs: tuple[FieldSpec, ...]
    instructions: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """The string form, types spelled out."""
        sides = (", ".join(f"{f.name}: {f.type_text}" for f in side) for side in self._sides())
        return " -> ".join(sides)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [field.name for field in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs."""
        return [field.name for field in self.outputs]

    def as_object(self) -> dict[str, Any]:
        """Return the structured form, from which `parse_signature` makes an equal one."""
        written: dict[str, Any] = {
            "inputs": [field.as_object() for field in self.inputs],
            "outputs": [field.as_object() for field in self.outputs],
        }
        for key, text in (("name", self.name), ("instructions", self.instructions)):
            if text is not None:
                written[key] = text
        return written

    def _sides(self) -> tuple[tuple[FieldSpec, ...], tuple[FieldSpec, ...]]:
        return self.inputs, self.outputs


def parse_signature(signature: object, instructions: str | None = None) -> SignatureSpec:
    """Read a signature in either form.

    Parameters
    ----------
    signature : str or dict
        ``"question: str, context: list[str] -> answer: str"``, or an object with ``inputs`` and
        ``outputs`` (lists of ``{name, type?, description?}``) and optionally ``name``,
        ``instructions``, and ``description``, which is another word for these.
    instructions : str, optional
        The task in words; goes before those of the signature.

    Returns
    -------
    SignatureSpec
        The description.

    Raises
    ------
    BridgeError
        With code ``invalid_signature``; the message says what is wrong and where.
    """
    name: str | None = None
    if isinstance(signature, str):
        inputs, outputs = _parse_text(signature)
    elif isinstance(signature, dict):
        _refuse_unknown_keys(signature, _SIGNATURE_KEYS, "signature")
        inputs = _parse_fields(signature.get("inputs", []), "input")
        outputs = _parse_fields(signature.get("outputs", []), "output")
        name = _text_of(signature, "name")
        if name is not None and not name.isidentifier():
            raise invalid_signature("signature.name must be a Python identifier")
        own = (_text_of(signature, "instructions"), _text_of(signature, "description"))
        instructions = next((text for text in (instructions, *own) if text is not None), None)
    else:
        raise invalid_signature(
            f"a signature is a string or an object, not {type(signature).__name__}"
        )
    if not outputs:
        raise invalid_signature("there is no output field")
    _refuse_duplicates(inputs, outputs)
    return SignatureSpec(tuple(inputs), tuple(outputs), instructions, name)


def _text_of(signature: dict[Any, Any], key: str) -> str | None:
    text = signature.get(key)
    if text is None or isinstance(text, str):
        return text
    raise invalid_signature(f"signature.{key} must be a string")


def _parse_text(text: str) -> tuple[list[FieldSpec], list[FieldSpec]]:
    sides = _split_at_arrow(text)
    if len(sides) != 2:
        raise invalid_signature(
            f"expected exactly one '->' between inputs and outputs, found {len(sides) - 1}"
        )
    return _parse_side(sides[0], "input"), _parse_side(sides[1], "output")


def _split_at_arrow(text: str) -> list[str]:
    """Split at every ``->`` that is not inside the quotes of a Literal."""
    sides, start, quote = [], 0, ""
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif text.startswith("->", index):
            sides.append(text[start:index])
            start = index + 2
    return [*sides, text[start:]]


def _parse_side(text: str, side: str) -> list[FieldSpec]:
    if not text.strip():
        return []
    try:
        # Fields have the grammar of parameters; as a lambda cannot be annotated, it has to be a
        # def.
        parsed = ast.parse(f"def signature(*, {' '.join(text.split())}): pass").body
    except (SyntaxError, ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise invalid_signature(f"{side} fields: {reason} in {text.strip()!r}") from None
    function = parsed[0]
    if len(parsed) != 1 or not isinstance(function, ast.FunctionDef):
        raise invalid_signature(f"{side} fields: cannot read {text.strip()!r}")
    arguments = function.args
    is_plain = not arguments.args and arguments.kwarg is None and not any(arguments.kw_defaults)
    if not is_plain or function.returns is not None:
        raise invalid_signature(
            f"{side} fields: only 'name' or 'name: type' is allowed in {text.strip()!r}"
        )
    fields = []
    for position, argument in enumerate(arguments.kwonlyargs, start=1):
        where = f"{side} {position} ({argument.arg!r})"
        _check_name(argument.arg, where)
        type_text, annotation = "str", object()
        if argument.annotation is None:
            annotation = str
        else:
            type_text, annotation = resolve_type(argument.annotation, where)
        fields.append(FieldSpec(argument.arg, type_text, annotation))
    return fields


def _parse_fields(fields: object, side: str) -> list[FieldSpec]:
    if not isinstance(fields, list):
        raise invalid_signature(f"signature.{side}s must be an array of objects")
    return [_parse_field(field, f"{side} {n}") for n, field in enumerate(fields, start=1)]


def _parse_field(field: object, where: str) -> FieldSpec:
    if not isinstance(field, dict) or not isinstance(field.get("name"), str):
        raise invalid_signature(f"{where}: a field is an object with a name")
    name, where = field["name"], f"{where} ({field['name']!r})"
    _refuse_unknown_keys(field, _FIELD_KEYS, where)
    _check_name(name, where)
    text, description = field.get("type") or "str", field.get("description")
    if not isinstance(text, str):
        raise invalid_signature(f"{where}: the type must be a string")
    if description is not None and not isinstance(description, str):
        raise invalid_signature(f"{where}: the description must be a string")
    type_text, annotation = read_type(text, where)
    return FieldSpec(name, type_text, annotation, description)


def _check_name(name: str, where: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise invalid_signature(f"{where}: a field name must be a Python identifier")
    if name.startswith("_") or name in _RESERVED:
        raise invalid_signature(f"{where}: this name is reserved by DSPy")


def _refuse_duplicates(inputs: list[FieldSpec], outputs: list[FieldSpec]) -> None:
    seen: dict[str, str] = {}
    for side, fields in (("input", inputs), ("output", outputs)):
        for field in fields:
            earlier = seen.get(field.name)
            if earlier == side:
                raise invalid_signature(f"{side} {field.name!r} is there twice")
            if earlier is not None:
                raise invalid_signature(f"{field.name!r} is both an input and an output")
            seen[field.name] = side


def _refuse_unknown_keys(found: dict[Any, Any], allowed: frozenset[str], where: str) -> None:
    unknown = [str(key) for key in found if key not in allowed]
    if unknown:
        raise invalid_signature(
            f"{where}: unknown key {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}"
        )
