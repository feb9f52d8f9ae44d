"""Which JSON Schema (draft 2020-12) says what a shape says?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

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
    is_plain_scalar,
)

if TYPE_CHECKING:
    from caduceus._hints import Shape

Schema = dict[str, Any]

_SETS = (set, frozenset)


def schema_of(shape: Shape, direction: Literal["args", "result"]) -> Schema:
    """Return the schema of one shape.

    Parameters
    ----------
    shape : Shape
        From a `HintReader`.
    direction : {"args", "result"}
        Whether it arrives or leaves: fields of a dataclass that its constructor does not take are
        only in results, and a model of pydantic may be written otherwise than it is read.

    Returns
    -------
    dict
        Plain JSON; with ``$defs`` where a record holds itself, and for the parts of models.
    """
    writer = _Writer(direction)
    schema = writer.write(shape)
    return {**schema, "$defs": writer.definitions} if writer.definitions else schema


class _Writer:
    def __init__(self, direction: Literal["args", "result"]) -> None:
        self.definitions: dict[str, Schema] = {}
        self._is_result = direction == "result"
        self._open: list[Record] = []
        self._names: dict[int, str] = {}
        self._models: dict[Any, Schema] = {}

    def write(self, shape: Shape) -> Schema:
        if isinstance(shape, AnyValue):
            return {}
        if isinstance(shape, Scalar):
            return {"type": shape.kind}
        if isinstance(shape, Choice):
            return {"enum": list(shape.values)}
        if isinstance(shape, ListOf):
            schema: Schema = {"type": "array", "items": self.write(shape.item)}
            return {**schema, "uniqueItems": True} if shape.build in _SETS else schema
        if isinstance(shape, TupleOf):
            return self._write_tuple(shape)
        if isinstance(shape, MapOf):
            values = self.write(shape.value)
            return {"type": "object", **({"additionalProperties": values} if values else {})}
        if isinstance(shape, OneOf):
            return {"anyOf": [self.write(option) for option in shape.options]}
        if isinstance(shape, Described):
            return {**self.write(shape.shape), "description": shape.text}
        if isinstance(shape, Model):
            return self._write_model(shape.model)
        return self._write_record(shape)

    def _write_tuple(self, shape: TupleOf) -> Schema:
        items = [self.write(item) for item in shape.items]
        if shape.names:
            items = [{**item, "title": name} for item, name in zip(items, shape.names, strict=True)]
        schema: Schema = {"type": "array", "minItems": shape.required, "maxItems": len(items)}
        # An empty list is none, says the draft.
        return {**schema, "prefixItems": items, "items": False} if items else schema

    def _write_record(self, record: Record) -> Schema:
        if record in self._open:
            name = self._names.setdefault(id(record), self._free_name(record.name))
            return {"$ref": f"#/$defs/{name}"}
        self._open.append(record)
        schema = self._write_object(record)
        self._open.pop()
        if record.name:
            schema = {"title": record.name, **schema}
        if id(record) not in self._names:
            return schema
        name = self._names[id(record)]
        self.definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def _write_object(self, record: Record) -> Schema:
        properties: Schema = {}
        required = []
        for name, field in record.fields.items():
            if not field.is_argument and not self._is_result:
                continue
            properties[name] = self.write(field.shape)
            if not field.is_required and is_plain_scalar(field.default):
                properties[name]["default"] = field.default
            if field.is_required or (self._is_result and record.build is not None):
                required.append(name)
        schema: Schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        others = False if record.others is None else self.write(record.others)
        return schema if others == {} else {**schema, "additionalProperties": others}

    def _write_model(self, model: Any) -> Schema:  # noqa: ANN401 - a class of pydantic
        if model not in self._models:
            name = self._free_name(model.__name__)
            self.definitions[name] = {}
            schema: Schema = model.model_json_schema(
                mode="serialization" if self._is_result else "validation",
                ref_template=f"#/$defs/{name}.{{model}}",
            )
            parts: dict[str, Schema] = schema.pop("$defs", {})
            self.definitions.update({f"{name}.{part}": text for part, text in parts.items()})
            self.definitions[name] = schema
            self._models[model] = {"$ref": f"#/$defs/{name}"}
        return dict(self._models[model])

    def _free_name(self, wanted: str) -> str:
        taken = {*self.definitions, *self._names.values()}
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}{number}"
        return name
