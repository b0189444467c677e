"""Filters on the attributes of documents, as in OpenAI's vector stores.

Source: https://developers.openai.com/api/reference/resources/vector_stores/methods/search
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contract.body import Body

MOST_DEPTH = 5
MOST_COMPARISONS = 64

Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
# Stores cannot compare control characters.
Text = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
# Integers within a double's precision: stores and clients use doubles.
Number = Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[float, Field(allow_inf_nan=False)]
Scalar = Text | bool | Number


class Equality(Body):
    """A document without the attribute never matches, with `ne` neither."""

    type: Literal["eq", "ne"]
    key: Key
    value: Scalar


class Order(Body):
    type: Literal["gt", "gte", "lt", "lte"]
    key: Key
    value: Number


class Membership(Body):
    """A document without the attribute never matches, with `nin` neither."""

    type: Literal["in", "nin"]
    key: Key
    value: Annotated[list[Text | Number], Field(min_length=1, max_length=MOST_COMPARISONS)]


class Compound(Body):
    type: Literal["and", "or"]
    filters: Annotated[list["Filter"], Field(min_length=1, max_length=MOST_COMPARISONS)]

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if _depth(self) > MOST_DEPTH:
            raise ValueError(f"filters are nested more than {MOST_DEPTH} deep")
        if _comparisons(self) > MOST_COMPARISONS:
            raise ValueError(f"there are more than {MOST_COMPARISONS} comparisons")
        return self


Comparison = Equality | Order | Membership
Filter = Annotated[Comparison | Compound, Field(discriminator="type")]


def _depth(filter_: Filter) -> int:
    return 1 + max(map(_depth, filter_.filters)) if isinstance(filter_, Compound) else 1


def _comparisons(filter_: Filter) -> int:
    if isinstance(filter_, Compound):
        return sum(map(_comparisons, filter_.filters))
    return len(filter_.value) if isinstance(filter_, Membership) else 1
