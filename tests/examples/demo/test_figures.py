"""What counts as an answer, as an abstention, as a fence that held, and as a tour that did."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.demo.fence import Attempt, attempted
from examples.demo.figures import Figures, missed
from examples.demo.questions import ANSWERABLE, Question, abstains, answers_exactly
from serving.gateway.abstention import TEXT as ABSTENTION

REFUNDS = ANSWERABLE[0]
GOOD = Figures(
    adapters=4,
    swap_requests=100,
    grounded_exact=0.92,
    adapters_exact=0.92,
    steps=3,
    documents=3,
    pages=5,
    abstained_unanswerable=1.0,
)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("30 days [1]", True),
        ("130 days [1]", False),
        ("30 days or 45 days [1]", False),
        ("30 days", False),
        ("I do not know.", False),
        ("", False),
    ],
)
def test_only_the_value_itself_is_exact(text: str, exact: bool) -> None:
    assert answers_exactly(REFUNDS, text) is exact


@given(st.text())
def test_a_value_with_more_around_it_is_never_exact(around: str) -> None:
    assert answers_exactly(REFUNDS, f"{around}30 days [1]") is (around == "")


def test_no_text_answers_a_question_without_an_answer() -> None:
    assert not answers_exactly(Question("acme", "?", None), "I do not know.")


@pytest.mark.parametrize(
    ("text", "abstained"),
    [("I do not know.", True), (ABSTENTION, True), ("I do not know, maybe 30 days [1]", False), ("null [1]", False)],
)
def test_only_a_refusal_and_nothing_else_is_an_abstention(text: str, abstained: bool) -> None:
    assert abstains(text) is abstained


def test_a_tour_within_its_bars_misses_nothing() -> None:
    assert missed(GOOD) == []


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (replace(GOOD, grounded_exact=0.0), "grounded_exact is 0.0, the bar is ≥ 0.9"),
        (replace(GOOD, abstained_unanswerable=0.75), "abstained_unanswerable is 0.75, the bar is ≥ 0.9"),
        (replace(GOOD, swap_failed=1), "swap_failed is 1, the bar is ≤ 0"),
        (replace(GOOD, cross_tenant_leaks=1), "cross_tenant_leaks is 1, the bar is ≤ 0"),
    ],
)
def test_a_bar_that_is_missed_is_named(figures: Figures, said: str) -> None:
    assert missed(figures) == [said]


@contextmanager
def answering(status: int, body: bytes) -> Iterator[openai.OpenAI]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with openai.OpenAI(
            base_url=f"http://127.0.0.1:{server.server_port}", api_key="qv-any", max_retries=0
        ) as client:
            yield client
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "held", "said"),
    [
        (404, True, "404 model_not_found"),
        (401, False, "401 model_not_found, where 404 is meant"),
        (503, False, "503 model_not_found, where 404 is meant"),
    ],
)
def test_a_fence_holds_only_with_the_status_that_it_is_meant_to_have(status: int, held: bool, said: str) -> None:
    with answering(status, b'{"error": {"code": "model_not_found"}}') as client:
        assert attempted(client.models.list, status=404) == Attempt(held, said)


def test_an_answer_is_a_leak() -> None:
    assert attempted(lambda: "30 days", status=404) == Attempt(held=False, answer="LEAK: 30 days")
