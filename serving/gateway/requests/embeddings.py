"""POST /v1/embeddings: texts only, no token ids, because tokenizers number tokens differently (pure)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, ValidationError

from serving.gateway.errors import InvalidRequest
from serving.gateway.requests.refusals import refusal
from serving.gateway.requests.value import Value, one_or_many

MAX_TEXTS = 128

_Text = Annotated[str, StringConstraints(min_length=1, max_length=32_768)]


class EmbeddingRequest(Value):
    inert = frozenset({"user"})

    model: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    input: Annotated[
        Annotated[_Text, Tag("<one>")]
        | Annotated[list[_Text], Field(min_length=1, max_length=MAX_TEXTS, fail_fast=True), Tag("<many>")],
        Discriminator(one_or_many),
    ]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


def parse(body: Any) -> EmbeddingRequest:
    """Raises InvalidRequest for the first wrong field."""
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_body")
    try:
        return EmbeddingRequest.model_validate(body)
    except ValidationError as error:
        raise refusal(error) from error
