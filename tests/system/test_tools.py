"""Tools, forms and turns as the stock OpenAI client sends them, on the real engine."""

import json
from typing import Any

import openai
import pydantic
import pytest

QUESTION: Any = [{"role": "user", "content": "What is the refund window of the Velmora Basic plan?"}]
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "product": {"type": "string", "enum": ["Velmora Basic plan", "Velmora Pro plan"]},
        "field": {"type": "string", "maxLength": 24},
    },
    "required": ["product", "field"],
    "additionalProperties": False,
}
TOOL: Any = {"type": "function", "function": {"name": "look_up", "description": "Facts.", "parameters": PARAMETERS}}
OTHER: Any = {"type": "function", "function": {"name": "order", "parameters": {"type": "object", "properties": {}}}}
NAMED: Any = {"type": "function", "function": {"name": "look_up"}}
ALLOWED: Any = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}
HANDBOOK: Any = {"retrieval": {"knowledge_bases": ["handbook"]}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
UNGROUNDED: Any = {"retrieval": {"grounded": False}}


class Answer(pydantic.BaseModel):
    answer: str = pydantic.Field(max_length=40)


def _create(client: openai.OpenAI, **more: Any) -> Any:
    fields = {"model": "quiver-demo", "messages": QUESTION, "temperature": 0, "max_tokens": 120, **more}
    return client.chat.completions.create(**fields)


@pytest.mark.parametrize("choice", ["required", NAMED, ALLOWED], ids=["required", "named", "allowed"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_call_follows_its_schema_whole_and_streamed(acme: openai.OpenAI, choice: Any, stream: bool) -> None:
    tools = [TOOL] if choice == "required" else [OTHER, TOOL]
    found = _create(acme, tools=tools, tool_choice=choice, stream=stream)
    name, arguments = _streamed_call(found) if stream else _call(found.choices[0].message)
    assert name == "look_up"
    assert json.loads(arguments)["product"] in PARAMETERS["properties"]["product"]["enum"]


def _call(message: Any) -> tuple[str, str]:
    (call,) = message.tool_calls
    assert call.id
    return call.function.name, call.function.arguments


def _streamed_call(chunks: Any) -> tuple[str, str]:
    parts = [call.function for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    return "".join(part.name or "" for part in parts), "".join(part.arguments or "" for part in parts)


def test_who_speaks_of_functions_gets_a_function_call(acme: openai.OpenAI) -> None:
    found = _create(acme, functions=[TOOL["function"]], function_call={"name": "look_up"})
    message = found.choices[0].message
    assert message.function_call.name == "look_up"
    assert json.loads(message.function_call.arguments)["product"]
    assert not message.tool_calls


def test_a_model_that_may_choose_answers_in_words_too(acme: openai.OpenAI) -> None:
    assert _create(acme, tools=[TOOL], tool_choice="auto").choices[0].message.content
    assert _create(acme, tools=[TOOL], tool_choice="none").choices[0].message.content


def test_the_result_of_a_call_is_read(acme: openai.OpenAI) -> None:
    call = _create(acme, tools=[TOOL], tool_choice="required").choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id,
              "content": "The refund window of the Velmora Basic plan is 44 days."}  # fmt: skip
    found = _create(acme, messages=[*QUESTION, call, result], tools=[TOOL])
    assert "44 days" in found.choices[0].message.content


@pytest.mark.parametrize("grounded", [True, False])
@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_with_the_clients_own_answers(acme: openai.OpenAI, grounded: bool, stream: bool) -> None:
    extra = HANDBOOK if grounded else UNGROUNDED
    messages = [*QUESTION]
    messages.append(_assembled(acme, messages, extra) if stream else _message(acme, messages, extra))
    messages.append({"role": "user", "content": "What is the refund window of the Velmora Pro plan?"})
    answer = _message(acme, messages, extra).content
    assert ("45 days" in answer) is grounded


def _message(client: openai.OpenAI, messages: list[Any], extra: Any) -> Any:
    return _create(client, messages=messages, extra_body=extra).choices[0].message


def _assembled(client: openai.OpenAI, messages: list[Any], extra: Any) -> Any:
    """As the client's own helper puts a stream together."""
    with client.chat.completions.stream(
        model="quiver-demo", messages=messages, temperature=0, max_tokens=60, extra_body=extra
    ) as stream:
        return stream.get_final_completion().choices[0].message


def test_an_answer_follows_a_schema_and_is_parsed_by_the_client(acme: openai.OpenAI) -> None:
    found = acme.chat.completions.parse(
        model="quiver-demo",
        messages=QUESTION,
        temperature=0,
        max_tokens=120,
        response_format=Answer,
        extra_body=HANDBOOK,
    )
    assert found.choices[0].message.parsed is not None


def test_an_abstention_where_a_schema_is_due_is_a_refusal(acme: openai.OpenAI) -> None:
    found = acme.chat.completions.parse(
        model="quiver-demo", messages=[{"role": "user", "content": "Qwzx vbnm plok?"}], response_format=Answer,
        extra_body=HANDBOOK,
    )  # fmt: skip
    message = found.choices[0].message
    assert message.refusal
    assert message.parsed is None


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ({"choice": ["yes", "no"]}, ("yes", "no")),
        ({"regex": "[ab]{2}"}, ("aa", "ab", "ba", "bb")),
        ({"grammar": 'root ::= "x" | "y"'}, ("x", "y")),
        ({"json": {"enum": [1, 2]}}, ("1", "2")),
    ],
)
def test_vllms_own_forms_are_followed(acme: openai.OpenAI, form: Any, pattern: tuple[str, ...]) -> None:
    assert _create(acme, extra_body={"structured_outputs": form}).choices[0].message.content in pattern


@pytest.mark.parametrize(
    "more",
    [{"top_k": 5}, {"min_p": 0.1}, {"repetition_penalty": 1.1}, {"stop_token_ids": [5]}, {"min_tokens": 2},
     {"reasoning_effort": "low"}],
)  # fmt: skip
def test_vllms_sampling_is_taken(acme: openai.OpenAI, more: Any) -> None:
    assert _create(acme, extra_body=more).choices[0].finish_reason


def test_a_token_can_be_ruled_out(acme: openai.OpenAI) -> None:
    plain = _create(acme, logprobs=True, top_logprobs=2)
    assert plain.choices[0].logprobs.content
    assert _create(acme, logit_bias={"100": 100}, max_tokens=3).choices[0].message.content is not None


def test_twenty_passages_are_cut_to_the_context_that_there_is(acme: openai.OpenAI) -> None:
    """Few are left beside such messages, and the model reads four at most: what counts is that there is an answer."""
    extra = {"retrieval": {"knowledge_bases": ["handbook", "facts"], "top_k": 20}}
    long = [{"role": "system", "content": "Be brief. " * 60}, *QUESTION]
    assert _create(acme, messages=long, extra_body=extra).choices[0].message.content


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"extra_body": {"retrieval": {"grounded": True}}}, "no_knowledge_base", "retrieval.knowledge_bases"),
        ({"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}}, "unsupported_value",
         "chat_template_kwargs.enable_thinking"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "unsupported_value", "messages"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "no"}}}},
         "invalid_schema", "response_format"),
        ({"logit_bias": {"99999": 1}}, "engine_refused", "logit_bias"),
        ({"max_tokens": 5000}, "context_length_exceeded", "messages"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_by_name(acme: openai.OpenAI, more: Any, code: str, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        _create(acme, **more)
    assert (caught.value.code, caught.value.param) == (code, param)


LOOSE: Any = {
    "type": "object",
    "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "integer"}]}, "b": {"not": {"type": "null"}}},
    "dependentRequired": {"a": ["b"]},
    "default": {"$ref": "https://example.com/not-a-schema"},
}


def test_a_schema_that_binds_nobody_may_say_what_no_compiler_takes(acme: openai.OpenAI) -> None:
    tool: Any = {"type": "function", "function": {"name": "loose", "parameters": LOOSE}}
    assert _create(acme, tools=[tool]).choices[0].finish_reason


def test_a_pattern_that_would_hold_up_the_engine_is_refused_and_one_at_the_limit_is_not(acme: openai.OpenAI) -> None:
    def form(pattern: str, count: int) -> Any:
        names = [f"a{number}" for number in range(count)]
        schema = {"type": "object", "properties": {name: {"type": "string", "pattern": pattern} for name in names},
                  "required": names, "additionalProperties": False}  # fmt: skip
        return {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}

    with pytest.raises(openai.BadRequestError, match="counts written out"):
        _create(acme, response_format=form("([a-z]{1,200}[0-9]{1,200}){1,55}", 1))
    for pattern in ("([a-z]{1,9}[0-9]{1,9}){1,55}", "(a|b|[a-z]{1,30}){1,30}"):
        assert _create(acme, response_format=form(pattern, 5), max_tokens=20).choices


def test_a_forced_call_of_a_tool_without_parameters_goes_on(acme: openai.OpenAI) -> None:
    tool: Any = {"type": "function", "function": {"name": "get_time"}}
    message = _create(acme, tools=[tool], tool_choice="required").choices[0].message
    assert json.loads(message.tool_calls[0].function.arguments) == {}
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "It is noon."}
    assert _create(acme, tools=[tool], messages=[*QUESTION, message, result]).choices[0].message.content


def test_a_forced_call_is_made_where_the_documents_hold_nothing(acme: openai.OpenAI) -> None:
    question = [{"role": "user", "content": "Who won the football cup in 1950?"}]
    found = _create(acme, messages=question, tools=[TOOL], tool_choice="required", extra_body=HANDBOOK)
    assert found.choices[0].message.tool_calls
