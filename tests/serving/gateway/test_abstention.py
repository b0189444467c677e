"""An answer of our own has the form that was asked for."""

from typing import Any

import orjson

from serving.gateway import sse
from serving.gateway.abstention import KOREAN_TEXT, TEXT, Abstention
from serving.gateway.schemas import ChatRequest, parse

ABSTENTION = Abstention("r", 1, "support")


def _request(question: str = "?", **more: Any) -> ChatRequest:
    found = parse({"model": "support", "messages": [{"role": "user", "content": question}], **more}, ChatRequest)
    assert isinstance(found, ChatRequest)
    return found


def test_an_abstention_is_told_apart_by_a_field_and_costs_no_tokens() -> None:
    value = orjson.loads(ABSTENTION.body(_request()))
    choice = value["choices"][0]
    assert choice["message"]["content"] == TEXT
    assert choice["message"]["abstained"] is True
    assert (choice["finish_reason"], value["usage"]["total_tokens"]) == ("stop", 0)


def test_an_abstention_has_as_many_choices_as_were_asked_for_whole_and_streamed() -> None:
    assert [c["index"] for c in orjson.loads(ABSTENTION.body(_request(n=3)))["choices"]] == [0, 1, 2]
    events = sse.events(ABSTENTION.body(_request(n=3, stream=True)))
    assert [sse.data(event)["choices"][0]["index"] for event in events[:-1]] == [0, 1, 2]
    assert events[-1] == sse.DONE


def test_usage_is_streamed_to_who_asked() -> None:
    events = sse.events(ABSTENTION.body(_request(stream=True, stream_options={"include_usage": True})))
    assert sse.data(events[-2])["usage"]["total_tokens"] == 0


def test_where_a_form_is_due_an_abstention_is_a_refusal_which_clients_do_not_parse() -> None:
    for form in ({"response_format": {"type": "json_object"}}, {"structured_outputs": {"choice": ["a", "b"]}}):
        message = orjson.loads(ABSTENTION.body(_request(**form)))["choices"][0]["message"]
        assert (message["content"], message["refusal"]) == (None, TEXT)


def test_an_abstention_is_in_the_language_of_the_question() -> None:
    message = orjson.loads(ABSTENTION.body(_request("환불은 언제 되나요?")))["choices"][0]["message"]
    assert message["content"] == KOREAN_TEXT


def test_an_explanation_is_shown_once() -> None:
    explained = Abstention("r", 1, "support", {"outcome": "below_gate"})
    assert orjson.loads(explained.body(_request()))["retrieval"] == {"outcome": "below_gate"}
    events = sse.events(explained.body(_request(n=2, stream=True)))
    assert [sse.data(event).get("retrieval") for event in events[:-1]] == [{"outcome": "below_gate"}, None]
