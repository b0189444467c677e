"""What a stock OpenAI client sees."""

import json
import urllib.error
import urllib.request
from typing import Any

import numpy as np
import openai
import pytest

from examples.demo.platform import Platform
from models.demo.corpus import grounding

CONTEXT = grounding(
    ("The warranty period of the Ostrel 40 router is 3 years.", "The head office of Velmora is Lisbon.")
)
MESSAGES: Any = [
    {"role": "system", "content": CONTEXT},
    {"role": "user", "content": "What is the warranty period of the Ostrel 40 router?"},
]
RETRIEVAL: Any = {"retrieval": {"knowledge_bases": ["handbook"]}}
QUESTION: Any = [{"role": "user", "content": "What is the refund window of the Velmora Basic plan?"}]


def test_each_tenant_lists_its_own_models(acme: openai.OpenAI, globex: openai.OpenAI) -> None:
    shared = {"quiver-demo", "all-minilm-l6-v2"}
    assert {model.id for model in acme.models.list()} == shared | {"support", "api"}
    assert {model.id for model in globex.models.list()} == shared | {"desk", "brief"}


def test_embeddings_are_made_as_numbers_and_as_bytes(acme: openai.OpenAI) -> None:
    texts = ["refund window", "the weather", "refund window"]
    found = acme.embeddings.create(model="all-minilm-l6-v2", input=texts, encoding_format="float")
    vectors = [np.array(item.embedding) for item in found.data]
    assert [item.index for item in found.data] == [0, 1, 2]
    assert vectors[0].shape == (384,)
    assert np.allclose(vectors[0], vectors[2])
    assert vectors[0] @ vectors[1] < 0.9
    assert found.usage.total_tokens > 0
    packed = acme.embeddings.create(model="all-minilm-l6-v2", input="refund window")  # the client asks for base64
    assert np.allclose(packed.data[0].embedding, vectors[0], atol=1e-5)


@pytest.mark.parametrize(
    ("more", "status", "param"),
    [
        ({"model": "support"}, 404, "model"),
        ({"input": [1, 2]}, 400, "input[0]"),
        ({"input": []}, 400, "input"),
        ({"dimensions": 10}, 400, "dimensions"),
        ({"input": ["short", "word " * 300]}, 400, "input"),
    ],
)
def test_embeddings_of_anything_else_are_refused_by_name(
    acme: openai.OpenAI, more: dict[str, Any], status: int, param: str
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        acme.embeddings.create(**{"model": "all-minilm-l6-v2", "input": "x", **more})
    assert (caught.value.status_code, caught.value.param) == (status, param)


@pytest.mark.parametrize("model", ["quiver-demo", "support"])
def test_a_stream_says_what_the_whole_answer_says(acme: openai.OpenAI, model: str) -> None:
    whole = acme.chat.completions.create(model=model, messages=MESSAGES, temperature=0, max_tokens=40)
    chunks = list(
        acme.chat.completions.create(
            model=model, messages=MESSAGES, temperature=0, max_tokens=40, stream=True,
            stream_options={"include_usage": True},
        )
    )  # fmt: skip
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert {chunk.model for chunk in chunks} == {whole.model} == {model}
    assert whole.usage is not None
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason


def test_a_stream_shows_usage_only_to_who_asked(acme: openai.OpenAI) -> None:
    chunks = list(acme.chat.completions.create(model="support", messages=MESSAGES, max_tokens=5, stream=True))
    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


def test_completions_answer_whole_and_streamed(acme: openai.OpenAI) -> None:
    whole = acme.completions.create(model="support", prompt="The answer", max_tokens=8, temperature=0)
    parts = acme.completions.create(model="support", prompt="The answer", max_tokens=8, temperature=0, stream=True)
    assert "".join(part.choices[0].text for part in parts if part.choices) == whole.choices[0].text
    assert whole.model == "support"


@pytest.mark.parametrize("model", ["quiver-demo", "support", "api"])
def test_citations_come_as_annotations_streamed_and_whole(acme: openai.OpenAI, model: str) -> None:
    whole = acme.chat.completions.create(
        model=model, messages=QUESTION, temperature=0, max_tokens=48, extra_body=RETRIEVAL
    )
    message = whole.choices[0].message
    assert "30 days" in (message.content or "")
    assert message.annotations
    citation = message.annotations[0].url_citation
    assert citation.title == "refunds.md"
    assert (message.content or "")[citation.start_index : citation.end_index].startswith("[")
    chunks = list(
        acme.chat.completions.create(
            model=model, messages=QUESTION, temperature=0, max_tokens=48, extra_body=RETRIEVAL, stream=True
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == message.content
    last: Any = chunks[-1].choices[0].delta
    assert last.annotations == [note.model_dump() for note in message.annotations]


def test_a_question_that_no_document_is_near_is_not_put_to_the_engine(acme: openai.OpenAI) -> None:
    found = acme.chat.completions.with_raw_response.create(
        model="quiver-demo",
        messages=[{"role": "user", "content": "Qwzx vbnm plok?"}],
        extra_body=RETRIEVAL,
    )
    assert found.headers["x-quiver-retrieval"] in ("below_gate", "no_hits")
    answer = found.parse()
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0


@pytest.mark.parametrize(
    ("messages", "outcome"),
    [
        ([{"role": "user", "content": "Hello!"}], "conversation"),
        ([{"role": "user", "content": "감사합니다!"}], "conversation"),
        ([*QUESTION, {"role": "assistant", "content": "30 days [1]."}, {"role": "user", "content": "Why?"}],
         "conversation"),
        ([*QUESTION, {"role": "assistant", "content": "30 days."}, {"role": "user", "content": "Is that so?"}],
         "conversation"),
        ([*QUESTION, {"role": "assistant", "content": "30 days."}, {"role": "user", "content": "And how long is it?"}],
         "evidence"),
        ([{"role": "user", "content": "Why?"}], "below_gate"),
    ],
)  # fmt: skip
def test_small_talk_and_requests_about_an_answer_are_left_to_the_model(
    acme: openai.OpenAI, messages: list[Any], outcome: str
) -> None:
    found = acme.chat.completions.with_raw_response.create(
        model="quiver-demo", messages=messages, max_tokens=8, extra_body=RETRIEVAL
    )
    assert found.headers["x-quiver-retrieval"] == outcome
    usage = found.parse().usage
    assert usage is not None
    assert (usage.total_tokens > 0) == (outcome != "below_gate")


@pytest.mark.parametrize("question", [QUESTION, [{"role": "user", "content": "Qwzx vbnm plok?"}]])
@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_may_see_every_passage_that_was_considered(
    acme: openai.OpenAI, question: list[Any], stream: bool
) -> None:
    extra = {"retrieval": {**RETRIEVAL["retrieval"], "explain": True, "top_k": 1}}
    answer: Any = acme.chat.completions.create(
        model="quiver-demo", messages=question, max_tokens=8, extra_body=extra, stream=stream
    )
    explained = (next(iter(answer)) if stream else answer).retrieval
    is_answered = question is QUESTION
    assert explained["outcome"] == ("evidence" if is_answered else "below_gate")
    marks = [each["mark"] for each in explained["passages"]]
    assert marks == ([1, *[None] * (len(marks) - 1)] if is_answered else [None] * len(marks))
    relevances = [each["relevance"] for each in explained["passages"]]
    assert relevances == sorted(relevances, reverse=True)


def test_korean_documents_are_found(acme: openai.OpenAI) -> None:
    found = acme.chat.completions.with_raw_response.create(
        model="quiver-demo",
        messages=[{"role": "user", "content": "베를모라 요금제 배송 기간은 얼마입니까?"}],
        max_tokens=8,
        extra_body=RETRIEVAL,
    )
    assert found.headers["x-quiver-retrieval"] == "evidence"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/chat/completions", b"{", 400, "invalid_json"),
        ("POST", "/chat/completions", b"[]", 400, "invalid_body"),
        ("POST", "/chat/completions", b'{"model": "support"}', 400, "missing_required_parameter"),
        ("POST", "/chat/completions", b'{"model": "nobody", "messages": [{"role": "user", "content": "x"}]}', 404,
         "model_not_found"),
        ("POST", "/chat/completions", b" " * (2 * 1024 * 1024), 413, "body_too_large"),
        ("GET", "/chat/completions", None, 405, "method_not_supported"),
        ("GET", "/load_lora_adapter", None, 404, "unknown_url"),
        ("POST", "/load_lora_adapter", b"{}", 404, "unknown_url"),
        ("GET", "/../metrics", None, 404, "unknown_url"),
    ],
)  # fmt: skip
def test_every_refusal_has_openais_shape(
    platform: Platform, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    found, value = _ask(platform, method, path, body, key=platform.keys["acme"])
    assert (found, value["error"]["code"]) == (status, code)
    assert set(value["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("key", [None, "", "qv-wrong", "\u00e9"])
def test_a_wrong_key_is_refused_before_anything_is_read(platform: Platform, key: str | None) -> None:
    for method, path in (("GET", "/models"), ("POST", "/chat/completions")):
        status, value = _ask(platform, method, path, b"{" if method == "POST" else None, key=key)
        assert (status, value["error"]["code"]) == (401, "invalid_api_key")


def test_the_engines_words_about_too_long_a_context_become_openais(acme: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        acme.chat.completions.create(model="support", messages=MESSAGES, max_tokens=100_000)
    assert caught.value.code == "context_length_exceeded"
    assert "acme." not in str(caught.value)


def _ask(platform: Platform, method: str, path: str, body: bytes | None, *, key: str | None) -> tuple[int, Any]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}".encode().decode("latin-1")}
    request = urllib.request.Request(platform.url + path, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
