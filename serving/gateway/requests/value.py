"""Bases of all parts of a body: strict frozen values, and unions that report errors of one branch only (pure)."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, StringConstraints, Tag, model_validator

MAX_TEXT = 400_000
# In one object: each unknown field is an error, and each error costs time.
MAX_FIELDS = 256
_EMPTY: tuple[object, ...] = ("", [], {})

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
OneText = Annotated[Text, Tag("<one>")]


class Value(BaseModel):
    """Clients send back our whole answers, with empty fields. Therefore null, and an empty optional field, mean absent;
    for `kept` fields, empty is a value. `inert` fields are accepted and dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    inert: ClassVar[frozenset[str]] = frozenset()
    # Whether empty unknown fields are dropped: leftovers in a conversation mean nothing, but an empty option may mean
    # much (`web_search_options: {}`).
    drops_unknown: ClassVar[bool] = False
    kept: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, fields: Any) -> Any:
        if not isinstance(fields, dict):
            return fields
        kept, defined = _kept(cls), None if cls.drops_unknown else _names(cls)
        if len(fields) > MAX_FIELDS:
            raise ValueError(f"an object has more than {MAX_FIELDS} fields")
        return {
            name: value
            for name, value in fields.items()
            if name not in cls.inert
            and (
                value
                or (value is not None and (name in kept or value not in _EMPTY or (defined and name not in defined)))
            )
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Adds the `inert` fields to the schema."""
        schema = handler.resolve_ref_schema(handler(core))
        for name in sorted(cls.inert):
            schema.setdefault("properties", {})[name] = {"description": "accepted; changes nothing here"}
        return schema


@cache
def _names(kind: type[Value]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in kind.model_fields.items())


@cache
def _kept(kind: type[Value]) -> frozenset[str]:
    needed = {field.alias or name for name, field in kind.model_fields.items() if field.is_required()}
    return kind.kept | needed


def is_branch(part: object) -> bool:
    """True if a part of an error's location is a union's branch, which is not in the caller's body."""
    return isinstance(part, str) and part.startswith("<")


def one_or_many(value: Any) -> str:
    """Chooses between the branches <one> and <many>."""
    return "<many>" if isinstance(value, list) else "<one>"


def by_field(name: str) -> Callable[[Any], str | None]:
    """Chooses the branch <x> if the field `name` of an object is "x"."""

    def branch(value: Any) -> str | None:
        chosen = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        return f"<{chosen}>" if isinstance(chosen, str) else None

    return branch
