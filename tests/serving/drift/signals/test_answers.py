"""What the signals of searches and answers take from an observation."""

from typing import Any

import pytest

from serving.drift.registry import SIGNALS
from serving.drift.signal import Basis
from serving.drift.wire import ReceivedObservation
from tests.serving.drift.traffic import observation


def _received(**changes: Any) -> ReceivedObservation:
    return ReceivedObservation.model_validate(observation("acme") | changes)


def _class(signal: str, **changes: Any) -> int | None:
    sample = SIGNALS[signal].sample(_received(**changes))
    assert sample is None or (sample.shape == (SIGNALS[signal].width,) and sample.sum() == 1)
    return None if sample is None else int(sample.argmax())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"relevance": 0.0, "retrieval": "below_gate"}, 1),
        ({"relevance": 0.55}, 6),
        ({"relevance": 1.0}, 10),
        ({"relevance": None, "retrieval": "no_hits"}, 0),
        ({"relevance": None, "retrieval": "scope_empty"}, 0),
        ({"relevance": None, "retrieval": "error"}, None),
        ({"relevance": None, "retrieval": "none"}, None),
        ({"relevance": 0.2, "retrieval": "conversation"}, None),
    ],
)
def test_searches_are_classed_by_their_best_hit(changes: dict[str, Any], expected: int | None) -> None:
    assert _class("search_relevance", **changes) == expected


def test_each_end_of_an_answer_is_a_class_of_its_own() -> None:
    ends: list[dict[str, Any]] = [
        {"abstained": True},
        {"cited": False},
        {"cited": True},
        {"cited": None},
        {"finish_reason": "length"},
        {"finish_reason": "tool_calls"},
        {"finish_reason": None},
    ]
    assert [_class("answer_outcome", **end) for end in ends] == list(range(7))
    assert _class("answer_outcome", finish_reason="made up") == 6


def test_an_abstention_has_no_length_and_no_speed() -> None:
    nothing = {"abstained": True, "completion_tokens": 0, "answer_s": None}
    assert _class("answer_length", **nothing) is None
    assert _class("answer_speed", **nothing) is None


def test_lengths_and_speeds_grow_by_their_classes() -> None:
    lengths = [_class("answer_length", completion_tokens=tokens) for tokens in (1, 2, 40, 1_000_000)]
    assert lengths == sorted(lengths, key=lambda each: each or 0)
    assert lengths[0] == 1
    assert lengths[-1] == 23
    assert _class("answer_speed", completion_tokens=1_000, answer_s=0.5) == 0
    assert _class("answer_speed", completion_tokens=1, answer_s=1_000.0) == 25


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_samples_depend_on_the_embedder_or_on_the_version_that_answers(name: str) -> None:
    basis = SIGNALS[name].basis(_received())
    expected = Basis("support", "acme.support-1") if name.startswith("answer") else Basis("embedder", "minilm")
    assert basis == expected
