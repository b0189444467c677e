"""How far a fetch of a model is, in words."""

from contract.base_model import BaseModel
from contract.job import Line
from operators.cluster.model_caches import progress_of
from tests.operators import objects


def _progress(*, has_failed: bool, lines: tuple[Line, ...]) -> str:
    base = objects.base_model("large", source="hf://org/large", cache={"size": "300Gi"})
    assert isinstance(base, BaseModel)
    return progress_of(base, "fill-large-1", has_failed=has_failed, lines=lines)


def test_progress_is_in_gigabytes() -> None:
    lines = ({"bytes": 0, "total": 140e9}, {"bytes": 12_340_000_000, "total": 140e9})
    words = _progress(has_failed=False, lines=lines)
    assert words == "its model is being fetched into claim model-large: 12.3 of 140.0 GB"


def test_an_attempt_that_failed_is_said_while_the_next_one_begins() -> None:
    words = _progress(has_failed=False, lines=({"error": "org/large: no such host"},))
    assert words.endswith("job fill-large-1 begins; before: org/large: no such host")


def test_a_failure_names_the_cause_and_what_to_do() -> None:
    words = _progress(has_failed=True, lines=({"error": "org/large: raise spec.cache.size"},))
    assert "cannot be fetched into claim model-large: org/large: raise spec.cache.size" in words
    assert "delete job fill-large-1" in words


def test_a_failure_without_a_word_names_where_to_look() -> None:
    assert "see kubectl describe job fill-large-1" in _progress(has_failed=True, lines=())
