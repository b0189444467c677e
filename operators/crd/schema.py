"""A pydantic model → a structural OpenAPI v3 schema, as a CustomResourceDefinition holds it.

Kubernetes knows neither `$ref` nor `anyOf` of types, and wants every list and string bounded, or it refuses rules over
them (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/).
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

# Generous bounds for fields written by the operator alone.
LONGEST_STRING = 8192
LONGEST_LIST = 4096
# Keywords of pydantic without a meaning in a structural schema.
_DROPPED = ("title", "default", "propertyNames", "discriminator", "uniqueItems", "const", "exclusiveMinimum")


def structural(model: type[BaseModel], *, defaults: bool) -> Schema:
    """`model` with every field described by its attribute docstring. Raises LookupError for a field without one.

    With `defaults` the API server fills in omitted fields, so reading an object shows its effective values.
    """
    raw = model.model_json_schema(by_alias=True, mode="validation")
    schema = _Conversion(raw.get("$defs", {}), defaults).convert({key: raw[key] for key in raw if key != "$defs"})
    _describe(schema, model)
    return {"description": " ".join((model.__doc__ or "").split()), **schema}


class _Conversion:
    def __init__(self, definitions: Mapping[str, Schema], defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def convert(self, raw: Schema) -> Schema:
        raw = self._resolved(raw)
        if "x-kubernetes-int-or-string" in raw:
            return {**raw, "anyOf": [{"type": "integer"}, {"type": "string"}]}
        if "x-kubernetes-preserve-unknown-fields" in raw:
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True, **self._default(raw)}
        if "anyOf" in raw:
            return self._any_of(raw)
        kept = {key: value for key, value in raw.items() if key not in (*_DROPPED, "description")}
        schema = {**kept, **_exclusive(raw), **_const(raw), **self._default(raw)}
        return self._nested(schema)

    def _resolved(self, raw: Schema) -> Schema:
        """Keys beside a reference override the referenced schema."""
        name = raw.get("$ref", "").rpartition("/")[2]
        beside = {key: value for key, value in raw.items() if key != "$ref"}
        return {**self._definitions[name], **beside} if name else raw

    def _any_of(self, raw: Schema) -> Schema:
        """An optional field becomes its plain type. A union of strings becomes one string as long as the longest."""
        options = [option for option in raw["anyOf"] if option.get("type") != "null"]
        if len(options) == 1:
            return self.convert({**options[0], **self._default(raw)})
        schemas = [self.convert(option) for option in options]
        return {"type": "string", "maxLength": max(_length(option) for option in schemas)}

    def _default(self, raw: Schema) -> Schema:
        value = _without_nulls(raw.get("default"))
        return {"default": value} if self._defaults and value is not None else {}

    def _nested(self, schema: Schema) -> Schema:
        match schema.get("type"):
            case "object" if "properties" in schema:
                schema["properties"] = {name: self.convert(value) for name, value in schema["properties"].items()}
                schema.pop("additionalProperties", None)
            case "object":
                patterns = schema.pop("patternProperties", None)
                values = next(iter(patterns.values())) if patterns else schema["additionalProperties"]
                schema["additionalProperties"] = self.convert(values)
            case "array":
                schema = self._array(schema)
            case "string" if "enum" not in schema:
                schema.setdefault("maxLength", 64 if "format" in schema else LONGEST_STRING)
        return schema

    def _array(self, schema: Schema) -> Schema:
        """Structural schemas have no tuples: a pair of a token and a number becomes a list of any values."""
        pair = schema.pop("prefixItems", None)
        schema["items"] = {"x-kubernetes-preserve-unknown-fields": True} if pair else self.convert(schema["items"])
        schema.setdefault("maxItems", LONGEST_LIST)
        return schema


def _without_nulls(value: Any) -> Any:
    """Drops null values from a default."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _exclusive(raw: Schema) -> Schema:
    """An exclusive minimum is a flag in OpenAPI v3.0, and a number in JSON Schema."""
    if "exclusiveMinimum" not in raw:
        return {}
    return {"minimum": raw["exclusiveMinimum"], "exclusiveMinimum": True}


def _const(raw: Schema) -> Schema:
    return {"enum": [raw["const"]]} if "const" in raw else {}


def _length(schema: Schema) -> int:
    return int(schema.get("maxLength", 0)) or max((len(str(value)) for value in schema.get("enum", ())), default=0)


# Descriptions ----------------------------------------------------------------------------------------------------


def _describe(schema: Schema, model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        described = schema["properties"][field.alias or name]
        described["description"] = _words(model, name)
        for nested in _models(field.annotation):
            target = described.get("items", described)
            if "properties" in target:
                _describe(target, nested)


def _words(model: type[BaseModel], field: str) -> str:
    for owner in model.__mro__:
        if field in inspect.get_annotations(owner):
            docstring = _attribute_docstrings(owner).get(field)
            if docstring is None:
                raise LookupError(f"{owner.__name__}.{field} has no docstring below it")
            return docstring
    raise LookupError(f"{model.__name__} has no field {field}")


def _attribute_docstrings(owner: type) -> dict[str, str]:
    """The string directly below each field (PEP 257), by field."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    docstrings: dict[str, str] = {}
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                docstrings[name] = " ".join(words.split())
    return docstrings


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models within a field's type."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]
