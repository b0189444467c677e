"""Every hostile artifact is refused for its own reason, and nothing of it is imported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hostile import SMALL, Hostile, all_hostile, config, pair, weights, write
from serving.agent.base import Base
from serving.agent.errors import RefusedError
from serving.agent.verify import Rules, verify
from tests.serving.agent.artifacts import RULES, UNREADABLE

# What stands in the place of a file is the store's to refuse: tests/serving/agent/test_store.py.
HOSTILE = [item for item in all_hostile(SMALL) if item.reason != "NotARegularFile"]


def test_a_right_adapter_is_let_through(tmp_path: Path) -> None:
    verify(write(tmp_path), RULES)


@pytest.mark.parametrize("name", ["another", "/home/me/models--x--y/snapshots/0/", None, 3])
def test_a_base_models_name_is_a_hint_where_shapes_decide(tmp_path: Path, name: object) -> None:
    verify(write(tmp_path, settings=config(base_model_name_or_path=name)), RULES)


def test_a_base_models_name_decides_where_its_shapes_cannot_and_no_path_is_shown(tmp_path: Path) -> None:
    rules = Rules(Base("base", "/srv/models/llama"), max_rank=16)
    for name in ("base", "/models/base/", "Org/Llama", "unsloth/Meta-Llama-bnb-4bit"):
        verify(write(tmp_path, settings=config(base_model_name_or_path=name)), rules)
    with pytest.raises(RefusedError, match=r"made for 'another'.*base model, base;") as caught:
        verify(write(tmp_path, settings=config(base_model_name_or_path="another")), rules)
    assert "/srv" not in caught.value.message


@pytest.mark.parametrize("expression", ["(.|..|...)+[A-Z]", "((.|..)(.|...)+)+[A-Z]"])
@pytest.mark.parametrize("field", ["rank_pattern", "target_modules"])
def test_an_expression_that_explodes_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, expression: str
) -> None:
    monkeypatch.setattr("serving.agent.patterns.LIMIT_S", 0.2)
    changes: Any = {field: {expression: 8} if field == "rank_pattern" else expression}
    assert _refusal(lambda: verify(write(tmp_path, settings=config(**changes)), RULES)) == "PatternTooSlow"


@pytest.mark.parametrize(
    "key", ["q_proj|k_proj", r"layers\.\d+\.self_attn\.q_proj", "layers.[0-1].self_attn.q_proj", ".*"]
)
def test_patterns_are_regular_expressions_as_they_are_for_the_engine(tmp_path: Path, key: str) -> None:
    verify(write(tmp_path, settings=config(rank_pattern={key: 4}), content=weights(pair(rank=4))), RULES)


def test_a_table_of_patterns_for_every_matrix_of_128_layers_is_read(tmp_path: Path) -> None:
    names = [f"model.layers.{layer}.mlp.m{number}" for layer in range(128) for number in range(16)]
    verify(write(tmp_path, settings=config(rank_pattern=dict.fromkeys(names, 8))), RULES)
    more = dict.fromkeys([*names, "one.more"], 8)
    assert _refusal(lambda: verify(write(tmp_path, settings=config(rank_pattern=more)), RULES)) == "ConfigInvalid"


@pytest.mark.parametrize("item", HOSTILE, ids=[item.what for item in HOSTILE])
def test_what_is_wrong_is_refused_for_its_own_reason(tmp_path: Path, item: Hostile) -> None:
    item.write(tmp_path)
    assert _refusal(lambda: verify(tmp_path, RULES)) == item.reason


def _refusal(action: Callable[[], None]) -> str:
    with pytest.raises(RefusedError) as caught:
        action()
    assert caught.value.message
    return caught.value.reason


@given(st.binary(max_size=400))
def test_any_bytes_in_place_of_weights_are_refused_and_nothing_worse(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    directory = write(tmp_path_factory.mktemp("a"), content=content)
    assert _refusal(lambda: verify(directory, RULES))


@given(st.dictionaries(st.sampled_from(sorted(config())), st.none() | st.integers() | st.text() | st.lists(st.none())))
def test_any_configuration_is_let_through_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    directory = write(tmp_path_factory.mktemp("a"), settings=config(**changes))
    try:
        verify(directory, UNREADABLE)
    except RefusedError as error:
        assert error.reason  # noqa: PT017  # both outcomes are right, only another exception is not


def test_a_rank_of_its_own_is_let_through_where_a_pattern_says_so(tmp_path: Path) -> None:
    settings = config(rank_pattern={"q_proj": 4}, alpha_pattern={"^model.layers.0.self_attn.q_proj$": 3.5})
    verify(write(tmp_path, settings=settings, content=weights(pair(rank=4))), RULES)


def test_what_a_base_model_on_the_hub_looks_like_is_left_to_the_engine(tmp_path: Path) -> None:
    verify(write(tmp_path, content=weights(pair(inputs=8))), UNREADABLE)


def test_a_message_is_one_short_line_of_text_whatever_it_quotes(tmp_path: Path) -> None:
    long = pair() | {SMALL.a: pair()[SMALL.a] | {"dtype": "x" * 1_000_000}}
    for content in (weights({"\ud800\n\u202e": 1}, bytes(9)), weights(long)):
        with pytest.raises(RefusedError) as caught:
            verify(write(tmp_path, content=content), RULES)
        assert caught.value.message.isprintable()
        assert len(caught.value.message) <= 500


def test_an_adapter_before_its_first_step_of_training_is_refused(tmp_path: Path) -> None:
    """What save_pretrained() writes then: B is zero."""
    header = pair()
    content = weights(header, bytes(max(entry["data_offsets"][1] for entry in header.values())))
    assert _refusal(lambda: verify(write(tmp_path, content=content), RULES)) == "NoEffect"


@pytest.mark.parametrize("settings", [{"lora_alpha": 1e6}, {"alpha_pattern": {"q_proj": 1e6}}])
def test_a_scale_that_overflows_is_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    assert _refusal(lambda: verify(write(tmp_path, settings=config(**settings)), RULES)) == "WeightsTooLarge"
