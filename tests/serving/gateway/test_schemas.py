import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from serving.gateway.errors import InvalidRequest
from serving.gateway.schemas import ChatRequest, CompletionRequest, engine_body, parse

CHAT: dict[str, Any] = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    "field",
    ["chat_template", "prompt_embeds", "cache_salt", "priority", "guided_json", "lora_request", "web_search_options",
     "logits_processors", "mm_processor_kwargs", "kv_transfer_params", "echo", "best_of", "verbosity", "topK"],
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
        ("n", 129),
        ("logit_bias", {"x": 1}),
        ("logit_bias", {"1": 101}),
        ("min_p", 1.5),
        ("repetition_penalty", 0),
        ("stop_token_ids", [-1]),
        ("temperature", float("nan")),
        ("chat_template_kwargs", {"a": {"b": 1}}),
        ("tool_choice", "required"),
        ("tools", [{"type": "custom", "custom": {"name": "x"}}]),
        ("tools", [{"type": "function", "function": {"name": "with space"}}]),
        ("response_format", {"type": "json_schema"}),
        ("response_format", {"type": "xml"}),
        ("structured_outputs", {"regex": "a", "choice": ["b"]}),
        ("structured_outputs", {"structural_tag": "x"}),
        ("structured_outputs", {"json": {"$ref": "http://example.com/schema"}}),
        ("messages", []),
        ("messages", "hello"),
        ("messages", [{"role": "tool", "content": "x"}]),
        ("messages", [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}]),
        ("stop", ["a"] * 5),
        ("retrieval", {"tenant": "globex"}),
        ("retrieval", {"top_k": 1000}),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse({**CHAT, field: value}, ChatRequest)
    assert caught.value.param is not None
    assert caught.value.param.startswith(field)


SENT_BACK: dict[str, Any] = {"role": "assistant", "content": "hi", "refusal": None, "annotations": [], "audio": None,
             "function_call": None, "tool_calls": None, "reasoning_content": None, "reasoning": None}  # fmt: skip


def _chat(**more: Any) -> ChatRequest:
    found = parse({**CHAT, **more}, ChatRequest)
    assert isinstance(found, ChatRequest)
    return found


def _sent(**more: Any) -> dict[str, Any]:
    return engine_body(_chat(**more), engine_name="e", cache_salt="t")


@pytest.mark.parametrize("field", [f for f in ChatRequest.model_fields if f not in ("model", "messages")])
@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_null_and_empty_mean_absent(field: str, empty: object) -> None:
    assert _sent(**{field: empty}) == _sent()


@pytest.mark.parametrize(
    "fields",
    [{"store": True}, {"metadata": {"a": "b"}}, {"service_tier": "flex"}, {"user": "u"}, {"safety_identifier": "s"},
     {"prompt_cache_key": "k"}, {"modalities": ["text"]}, {"stream_options": {"include_obfuscation": False}},
     {"prediction": {"type": "content", "content": "x"}}],
)  # fmt: skip
def test_what_changes_no_answer_is_taken_and_not_passed_on(fields: dict[str, Any]) -> None:
    assert _sent(**fields) == _sent()


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_null_and_empty_mean_absent_inside_a_message(empty: object) -> None:
    part = {"type": "text", "text": "hello", "cache_control": empty}
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": empty, "parsed": empty},
        "index": empty,
    }
    messages = [
        {"role": "user", "content": [part], "name": empty},
        {"role": "assistant", "content": None, "tool_calls": [call], "audio": empty},
        {"role": "tool", "content": "x", "tool_call_id": "c", "status": empty},
    ]
    body = engine_body(parse({**CHAT, "messages": messages}, ChatRequest), engine_name="e", cache_salt="t")
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "hello"}]},
        {"role": "assistant", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "content": "x", "tool_call_id": "c"},
    ]  # fmt: skip


def test_an_answer_can_be_sent_back_as_the_client_holds_it() -> None:
    later = {"role": "user", "content": "and then?"}
    assert _sent(messages=[*CHAT["messages"], SENT_BACK, later])["messages"] == [
        *CHAT["messages"], {"role": "assistant", "content": "hi"}, later,
    ]  # fmt: skip


def test_an_abstention_and_what_clients_add_to_an_answer_can_be_sent_back() -> None:
    added = {"abstained": True, "provider_specific_fields": {"a": 1}, "thinking_blocks": [{"thinking": "x"}]}
    assert _sent(messages=[{**SENT_BACK, **added}])["messages"] == [{"role": "assistant", "content": "hi"}]


def test_a_refusal_and_an_answer_without_a_word_can_be_sent_back() -> None:
    cut, refused = {**SENT_BACK, "content": None}, {**SENT_BACK, "content": None, "refusal": "no"}
    assert [m["content"] for m in _sent(messages=[cut, refused])["messages"]] == ["", "no"]


CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"a": 1}'}}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
OTHER: dict[str, Any] = {"type": "function", "function": {"name": "other"}}


def _strict(tool: dict[str, Any]) -> dict[str, Any]:
    return {**tool, "function": {**tool["function"], "strict": True}}


def test_a_call_that_is_forced_follows_its_schema_and_another_one_where_the_caller_says_so() -> None:
    assert _sent(tools=[TOOL], tool_choice="required")["tools"] == [_strict(TOOL)]
    assert _sent(tools=[TOOL])["tools"] == [TOOL]
    assert _sent(tools=[_strict(TOOL)])["tools"] == [_strict(TOOL)]


def test_a_call_and_its_result_are_passed_on() -> None:
    messages = [
        *CHAT["messages"],
        {**SENT_BACK, "content": None, "tool_calls": [{**CALL, "index": 0}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
    ]
    assert _sent(messages=messages)["messages"][1:] == [
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
    ]


def test_functions_are_tools_by_an_older_name() -> None:
    function = TOOL["function"]
    messages = [
        *CHAT["messages"],
        {"role": "assistant", "content": None, "function_call": CALL["function"]},
        {"role": "function", "name": "look_up", "content": "3"},
    ]
    request = _chat(functions=[function], function_call={"name": "look_up"}, messages=messages)
    body = engine_body(request, engine_name="e", cache_salt="t")
    assert request.legacy
    assert not _chat(tools=[TOOL]).legacy
    assert body["tools"] == [_strict(TOOL)]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "look_up"}}
    call, result = body["messages"][1:]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]


def test_of_allowed_tools_the_others_are_not_shown() -> None:
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
        {"type": "function", "function": {"name": "other"}}]}}  # fmt: skip
    body = _sent(tools=[TOOL, OTHER], tool_choice=choice)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["other"]
    assert body["tool_choice"] == "required"


def test_a_forced_call_without_parameters_has_empty_arguments_and_not_any_text() -> None:
    (tool,) = _sent(tools=[OTHER], tool_choice="required")["tools"]
    assert tool["function"]["parameters"] == {"type": "object", "properties": {}, "additionalProperties": False}
    assert "parameters" not in _sent(tools=[OTHER])["tools"][0]["function"]


def test_what_a_model_wrote_as_arguments_can_be_sent_back_whatever_it_is() -> None:
    for text, sent in (('{"a": "', {"unparsed": '{"a": "'}), ('"se"', {"unparsed": '"se"'}), ('{"a":1}', {"a": 1})):
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": text}}
        messages = [*CHAT["messages"], {"role": "assistant", "tool_calls": [call]}]
        body = engine_body(_chat(messages=messages), engine_name="e", cache_salt="t")
        assert json.loads(body["messages"][-1]["tool_calls"][0]["function"]["arguments"]) == sent


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"web_search_options": {}}, "web_search_options"),
        ({"guided_json": ""}, "guided_json"),
        ({"retrieval": {"knowledge_bases": []}}, "retrieval.knowledge_bases"),
        ({"tools": [TOOL], "function_call": "none"}, "function_call"),
        ({"temperature": True}, "temperature"),
    ],
)
def test_what_would_be_lost_without_a_word_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse({**CHAT, **fields}, ChatRequest)
    assert caught.value.param == param


def test_every_schema_that_is_to_be_followed_is_compiled_first() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "string"}}}
    fields = {field for field, _, _ in _chat(tools=[TOOL, _strict(TOOL)], response_format=schema).grammars}
    assert fields == {"tools[1]", "response_format"}
    assert [field for field, _, _ in _chat(tools=[TOOL], tool_choice="required").grammars] == ["tools[0]"]
    assert _chat(structured_outputs={"regex": "a+"}).grammars == [("structured_outputs.regex", "regex", "a+")]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"topK": 5}, "Unsupported parameter: `topK`."),
        ({"retrieval": {"topK": 5}}, "Unsupported parameter: `retrieval.topK`."),
        ({"stop": ["a"] * 5}, "`stop` may hold at most 4 items."),
        ({"n": 2, "temperature": 0}, "`n` is 2 at `temperature` 0: all answers would be the same; raise temperature."),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]},
         ("`messages[0].content[0].type` is `file`, which is not supported here; use `text`, `image_url`, "
          "`input_audio`.")),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}]},
         ("`messages[0].content[0].image_url.url`: images must be data URLs (data:image/png;base64,…); nothing is "
          "fetched.")),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "nobody"}}},
         "`tool_choice` names `nobody`, which is not among the tools."),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong_and_what_to_do(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _chat(**fields)
    assert caught.value.message == message
    assert caught.value.param


def test_a_long_list_of_bad_parts_costs_one_check() -> None:
    with pytest.raises(InvalidRequest) as caught:
        _chat(messages=[{"role": "user", "content": [{"type": "file"}] * 256}] * 2048)
    cause = caught.value.__cause__
    assert isinstance(cause, ValidationError)
    assert cause.error_count() == 1


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
        ("messages", [{"role": "user", "content": 5}], "messages[0].content"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            parse({**CHAT, field: value}, ChatRequest)
        assert caught.value.param is not None
        assert caught.value.param.removesuffix("[1]") == named
