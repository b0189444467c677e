"""Titles and units say what the queries ask for."""

import pytest

from monitoring.dashboards import PAGES, Panel

PANELS = [panel for page in PAGES for panel in page.panels]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_unit_is_that_of_the_queries(panel: Panel) -> None:
    for query in panel.queries:
        if query.expr.startswith("histogram_quantile"):
            assert panel.unit == "s"
            assert "_seconds_bucket" in query.expr
        elif " / " in query.expr and "slo_budget" not in query.expr:
            assert panel.unit == "percentunit"
        elif query.expr.startswith("sum(rate("):
            assert panel.unit == ("tokens/s" if "tokens_total" in query.expr else "reqps")
        else:
            assert panel.unit == "short"


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_title_names_what_the_queries_ask_for(panel: Panel) -> None:
    for query in panel.queries:
        assert ("95th percentile" in panel.title) == any("(0.95" in each.expr for each in panel.queries)
        assert panel.title.startswith("Share") == (panel.unit == "percentunit")
        for label in ("tenant", "outcome", "direction", "state", "stage", "model"):
            if f"by {label}" in panel.title:
                assert f"{{{{{label}}}}}" in query.legend
