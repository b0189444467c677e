from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.errors import InvalidRequest
from serving.gateway.schemas import ChatRequest, CompletionRequest, engine_body, parse

CHAT: dict[str, Any] = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    "field",
    ["chat_template", "chat_template_kwargs", "prompt_embeds", "cache_salt", "priority", "guided_json", "lora_request",
     "logits_processors", "mm_processor_kwargs", "kv_transfer_params", "echo", "best_of", "tools"],
)  # fmt: skip
def test_what_reaches_into_the_engine_is_refused_by_name(field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse({**CHAT, field: 1}, ChatRequest)
    assert caught.value.param == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 16_000),
        ("n", 0),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("stream", "yes"),
        ("temperature", 3),
        ("top_logprobs", 1000),
        ("model", ""),
        ("model", None),
        ("messages", []),
        ("messages", "hello"),
        ("messages", [{"role": "tool", "content": "x"}]),
        ("messages", [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}]),
        ("stop", ["a"] * 5),
        ("stop", ""),
        ("retrieval", {"tenant": "globex"}),
        ("retrieval", {"top_k": 1000}),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse({**CHAT, field: value}, ChatRequest)
    assert caught.value.param is not None
    assert caught.value.param.startswith(field)


def test_null_means_absent_as_clients_send_it() -> None:
    request = parse({**CHAT, "stream": None, "max_tokens": None, "stop": None, "n": None}, ChatRequest)
    assert not request.stream


def test_the_engine_gets_what_was_validated_under_its_own_name_and_salted() -> None:
    body = engine_body(parse({**CHAT, "user": "u", "stream": True, "temperature": 0}, ChatRequest), engine_name="a.b.c",
                       cache_salt="acme")  # fmt: skip
    assert body == {
        "model": "a.b.c",
        "cache_salt": "acme",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
    }


def test_a_completion_takes_a_text_or_several_and_no_token_numbers() -> None:
    parse({"model": "m", "prompt": "a"}, CompletionRequest)
    parse({"model": "m", "prompt": ["a", "b"]}, CompletionRequest)
    for prompt in ([1, 2, 3], [], {"a": 1}, 7):
        with pytest.raises(InvalidRequest):
            parse({"model": "m", "prompt": prompt}, CompletionRequest)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON, st.sampled_from([*ChatRequest.model_fields, "x"]))
def test_any_body_is_let_through_or_refused_and_nothing_worse(value: Any, field: str) -> None:
    for body in (value, {**CHAT, field: value}):
        for kind in (ChatRequest, CompletionRequest):
            with suppress(InvalidRequest):
                engine_body(parse(body, kind), engine_name="e", cache_salt="t")


def test_a_field_is_named_as_the_caller_wrote_it() -> None:
    for field, value, named in (
        ("stop", ["a", 1], "stop"),
        ("messages", [{"role": "user", "content": 5}], "messages.0.content"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            parse({**CHAT, field: value}, ChatRequest)
        assert caught.value.param is not None
        assert caught.value.param.removesuffix(".1") == named
