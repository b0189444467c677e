"""Every query of every panel, answered by a real Prometheus that scrapes the platform under traffic."""

import math
import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import openai
import pytest

from examples.demo.platform import Platform
from monitoring.dashboards import PAGES, Panel, Query
from tests.system.prometheus import Prometheus, prometheus

QUESTION: Any = [{"role": "user", "content": "What is the refund window of the Velmora Basic plan?"}]
DOCUMENTS = {"retrieval": {"knowledge_bases": ["handbook"]}}
QUERIES = [(page.name, panel, query) for page in PAGES for panel in page.panels for query in panel.queries]
LIMIT_S = 240.0
# Nothing is loaded while this Prometheus looks: the series are there, and their quantile is of nothing.
WITHOUT_EVENTS = {"Time of a load call, 95th percentile"}


@pytest.fixture(scope="module")
def scraped(platform: Platform, acme: openai.OpenAI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Traffic on both sides of a scrape of every target: rates need two values of a series, and a series may begin
    with the first traffic."""
    with prometheus(platform, tmp_path_factory.mktemp("prometheus")) as server:
        for _ in range(2):
            _wait_for_scrapes(platform, server)
            _traffic(acme)
        _wait_for_scrapes(platform, server)
        yield server


def _wait_for_scrapes(platform: Platform, server: Prometheus) -> None:
    platform.wait_until(partial(server.has_scraped_since, time.time()), what="a scrape of every part", limit_s=LIMIT_S)


def _traffic(client: openai.OpenAI) -> None:
    for stream in (False, True):
        answer: Any = client.chat.completions.create(
            model="support", messages=QUESTION, max_tokens=8, stream=stream, extra_body=DOCUMENTS
        )
        if stream:
            list(answer)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="absent", messages=QUESTION)


def _has_a_series(server: Prometheus, query: Query) -> bool:
    return bool(server.query(_filled(query)))


def _has_a_number(server: Prometheus, query: Query) -> bool:
    return any(math.isfinite(float(series["value"][1])) for series in server.query(_filled(query)))


def _filled(query: Query) -> str:
    return query.expr.replace("$tenant", ".+")


@pytest.mark.parametrize(
    ("page", "panel", "query"), QUERIES, ids=lambda each: each.legend if isinstance(each, Query) else None
)
def test_a_panel_shows_data_with_the_labels_of_its_legend(
    platform: Platform, scraped: Prometheus, page: str, panel: Panel, query: Query
) -> None:
    shows = partial(_has_a_series if panel.title in WITHOUT_EVENTS else _has_a_number, scraped, query)
    platform.wait_until(shows, what=f"{page}: {panel.title}", limit_s=LIMIT_S)
    named = set(re.findall(r"{{(\w+)}}", query.legend))
    assert all(named <= series["metric"].keys() for series in scraped.query(_filled(query)))


def test_no_rule_of_the_chart_fails_in_this_prometheus(scraped: Prometheus) -> None:
    assert set(scraped.health_of_rules()) == {"ok"}
