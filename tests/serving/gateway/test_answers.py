import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway import sse
from serving.gateway.answers import PlainStream, RewrittenStream, whole
from serving.gateway.grounds import Grounds
from tests.serving.gateway.passages import evidence

ENGINE_NAME = "acme.support.0123456789ab"
GROUNDS = Grounds([evidence()], None)


def _chunk(content: str | None, finish: str | None = None, index: int = 0) -> bytes:
    delta = {} if content is None else {"content": content}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return sse.event({"id": "x", "model": ENGINE_NAME, "choices": [choice]})


USAGE = sse.event(
    {"id": "x", "model": ENGINE_NAME, "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
)


def _cited(show: bool) -> RewrittenStream:
    return RewrittenStream(GROUNDS, name="support", show_usage=show, legacy=False)


def _plain(show_usage: bool = False) -> PlainStream:
    return PlainStream(engine_name=ENGINE_NAME, name="support", show_usage=show_usage)


@pytest.mark.parametrize("show", [True, False])
@pytest.mark.parametrize("kind", ["plain", "grounded"])
def test_usage_is_counted_always_and_shown_to_who_asked(kind: str, show: bool) -> None:
    stream = _plain(show) if kind == "plain" else _cited(show)
    shown = stream.feed(_chunk("a") + USAGE + sse.DONE)
    assert (stream.tokens.prompt, stream.tokens.completion) == (7, 3)
    assert (b"usage" in shown) == show
    assert stream.finished


@pytest.mark.parametrize("kind", ["plain", "grounded"])
def test_no_caller_sees_an_engines_name(kind: str) -> None:
    stream = _plain() if kind == "plain" else _cited(True)
    shown = stream.feed(_chunk("a") + _chunk("b", "stop") + USAGE + sse.DONE)
    assert ENGINE_NAME.encode() not in shown
    assert {sse.data(event)["model"] for event in sse.events(shown) if event != sse.DONE} == {"support"}


@given(st.text())
def test_text_that_looks_like_the_engines_own_words_passes_unchanged(text: str) -> None:
    for hostile in (
        text,
        f'"model":"{ENGINE_NAME}"',
        '"choices":[]',
        "data: [DONE]\n\n",
        text + '\n\ndata: {"choices":[]}',
    ):
        stream = _plain()
        shown = stream.feed(_chunk(hostile) + sse.DONE)
        assert sse.data(sse.events(shown)[0])["choices"][0]["delta"]["content"] == hostile


@pytest.mark.parametrize("kind", ["plain", "grounded"])
def test_why_an_answer_ended_is_known_and_text_cannot_say_it(kind: str) -> None:
    stream = _plain() if kind == "plain" else _cited(False)
    stream.feed(_chunk('"finish_reason":"stop"'))
    assert stream.finish_reason is None
    stream.feed(_chunk("a", "length"))
    assert stream.finish_reason == "length"


def test_a_stream_without_its_end_mark_is_not_finished() -> None:
    stream = _plain()
    stream.feed(_chunk("a") + USAGE)
    assert not stream.finished


def test_a_grounded_stream_carries_its_annotations_with_the_last_piece_of_each_choice() -> None:
    stream = _cited(False)
    shown = stream.feed(
        _chunk("30 [") + _chunk("1") + _chunk("] [9]", index=1) + _chunk("]", "stop") + _chunk(None, "stop", 1)
    )
    values = [sse.data(event)["choices"][0] for event in sse.events(shown)]
    text = "".join(value["delta"].get("content", "") for value in values if value["index"] == 0)
    assert text == "30 [1]"
    finals = {value["index"]: value["delta"]["annotations"] for value in values if value["finish_reason"]}
    assert finals[0][0]["url_citation"]["chunk_id"] == "c1"
    assert finals[1] == []
    assert stream.removed_marks == 1


async def test_events_are_put_together_however_they_arrive() -> None:
    raw = _chunk("a") + _chunk("b") + USAGE + sse.DONE
    for size in (1, 2, 7, len(raw)):

        async def chunks(size: int = size) -> object:
            for place in range(0, len(raw), size):
                yield raw[place : place + size]

        whole = [block async for block in sse.blocks(chunks())]  # type: ignore[arg-type]
        assert b"".join(whole) == raw
        assert all(block.endswith(sse.END) for block in whole)


def test_a_caller_that_speaks_of_functions_gets_a_function_call_whole_and_streamed() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {"id": "x", "model": "e", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    choice = orjson.loads(whole(orjson.dumps(body), name="m", grounds=None, legacy=True).body)["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"] == {"role": "assistant", "content": None, "function_call": call["function"]}

    stream = RewrittenStream(None, name="m", show_usage=False, legacy=True)
    pieces = [{"name": "f", "arguments": ""}, {"arguments": "{}"}]
    deltas = [sse.data(stream.feed(sse.event({"model": "e", "choices": [
        {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": piece}]}, "finish_reason": None}]})))
        ["choices"][0]["delta"] for piece in pieces]  # fmt: skip
    assert [delta["function_call"] for delta in deltas] == pieces


def test_no_field_of_the_engines_is_lost() -> None:
    choice = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop", "stop_reason": 7}
    body = {"id": "x", "model": "e", "service_tier": "auto", "anything": {"new": 1}, "choices": [choice]}
    found = orjson.loads(whole(orjson.dumps(body), name="m", grounds=None).body)
    assert found == body | {"model": "m"}


EXPLANATION = {"outcome": "evidence", "min_relevance": 0.35, "passages": []}
EXPLAINED = Grounds([evidence()], EXPLANATION)


def test_an_explanation_comes_with_the_first_event_of_a_stream_and_once() -> None:
    stream = RewrittenStream(EXPLAINED, name="m", show_usage=True, legacy=False)
    events = [sse.data(event) for event in sse.events(stream.feed(_chunk("a") + _chunk("b", "stop") + USAGE))]
    assert [event.get("retrieval") for event in events] == [EXPLANATION, None, None]


def test_an_explanation_is_a_field_of_a_whole_answer() -> None:
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "a [1]"}}]}
    for grounds, shown in ((EXPLAINED, EXPLANATION), (GROUNDS, None), (None, None)):
        answer = whole(orjson.dumps(body), name="m", grounds=grounds)
        assert orjson.loads(answer.body).get("retrieval") == shown
