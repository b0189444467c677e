"""What every part of a body is made of: strict frozen values, and unions that report errors under one branch."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, Tag

MAX_TEXT = 400_000

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
OneText = Annotated[Text, Tag("<one>")]


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def is_branch(part: object) -> bool:
    """Whether a part of an error's location is a union's branch, which no caller wrote."""
    return isinstance(part, str) and part.startswith("<")


def one_or_many(value: Any) -> str:
    """Chooses between the branches <one> and <many>."""
    return "<many>" if isinstance(value, list) else "<one>"


def by_field(name: str) -> Callable[[Any], str | None]:
    """Chooses the branch <x> where the field `name` of an object is "x"."""

    def branch(value: Any) -> str | None:
        chosen = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        return f"<{chosen}>" if isinstance(chosen, str) else None

    return branch
