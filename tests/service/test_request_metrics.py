"""Requests are counted by route."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

from service.request_metrics import CountRequests, RequestMetrics


def test_routes_are_counted_not_paths() -> None:
    registry = CollectorRegistry()
    app = FastAPI(middleware=[Middleware(CountRequests, metrics=RequestMetrics("x", registry))])

    @app.get("/things/{name}")
    def thing(name: str) -> str:
        return name

    with TestClient(app) as client:
        for path in ("/things/a", "/things/b", "/nothing/c", "/healthz"):
            client.get(path)

    def count(route: str, status: str) -> float | None:
        return registry.get_sample_value("quiver_x_requests_total", {"method": "GET", "route": route, "status": status})

    assert count("/things/{name}", "200") == 2
    assert count("other", "404") == 1
