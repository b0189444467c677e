from pathlib import Path

import pytest

from serving.gateway.requests.embeddings import EmbeddingRequest
from serving.gateway.requests.table import OURS, text
from serving.gateway.schemas import ChatRequest, CompletionRequest

FILE = Path(__file__).parents[4] / "docs/parameters.md"


def test_the_page_is_what_the_code_says() -> None:
    assert FILE.read_text() == text(), "run make docs"


@pytest.mark.parametrize(
    "name", sorted({*ChatRequest.model_fields, *CompletionRequest.model_fields, *ChatRequest.inert})
)
def test_every_parameter_has_its_row(name: str) -> None:
    assert f"`{name}`" in text()


def test_nothing_is_said_of_parameters_that_are_gone() -> None:
    kinds = (ChatRequest, CompletionRequest, EmbeddingRequest)
    assert OURS.keys() <= {name for kind in kinds for name in kind.model_fields}
