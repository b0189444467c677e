"""A caller's trace context goes with its search and its answer, if it is one."""

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway import engine, trace_context
from serving.gateway.trace_context import headers_of
from tests.serving.gateway.test_retrieval_client import RESPONSE, searched, sidecar

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_valid_context_is_passed_on_as_it_came() -> None:
    assert headers_of(PARENT, "") == {"traceparent": PARENT}
    assert headers_of(PARENT, "vendor=a,other=b") == {"traceparent": PARENT, "tracestate": "vendor=a,other=b"}


@pytest.mark.parametrize(
    "parent",
    [
        "",
        PARENT.upper(),
        PARENT + "\r\nx: y",
        "ff" + PARENT[2:],
        "00-" + "0" * 32 + PARENT[35:],
        PARENT[:36] + "0" * 16 + "-01",
    ],
)
def test_another_text_is_no_context(parent: str) -> None:
    assert headers_of(parent, "vendor=a") == {}


@given(st.text(max_size=600))
def test_no_state_can_break_a_header(state: str) -> None:
    value = headers_of(PARENT, state).get("tracestate", "")
    assert value.isprintable()
    assert value.isascii()


async def test_a_search_gets_the_context_of_its_request() -> None:
    seen: list[str | None] = []
    answer = web.json_response

    def note(request: web.Request) -> None:
        seen.append(request.headers.get("traceparent"))

    async with sidecar(lambda _: answer(text=RESPONSE.model_dump_json()), note) as url:
        token = trace_context.passed_on.set(headers_of(PARENT, ""))
        await searched(url)
        trace_context.passed_on.reset(token)
        await searched(url)
    assert seen == [PARENT, None]


async def test_an_engine_gets_the_context_of_its_request() -> None:
    seen: list[str | None] = []

    def note(request: web.Request) -> None:
        seen.append(request.headers.get("tracestate"))

    async with sidecar(lambda _: web.json_response({}), note) as url, engine.connect(["key"], 5) as connected:
        trace_context.passed_on.set(headers_of(PARENT, "vendor=a"))
        body = {"tenant": "acme", "knowledge_bases": [], "query": "?"}  # the server reads searches
        async with connected.post(url, "/v1/search", body, request_id="r") as answer:
            assert answer.status == 200
    assert seen == ["vendor=a"]
