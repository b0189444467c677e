"""Whatever is wrong with a request, every service answers it in the same shape."""

import logging
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import Query
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from starlette.testclient import TestClient

from service.application import application, router
from service.errors import UnavailableError
from service.probes import Probes
from service.tokens import Tokens

TOKEN = {"Authorization": "Bearer the-token"}
MOST_BYTES = 1_000


class Order(BaseModel):
    amount: int


class Shop:
    """Refuses when it is closed."""

    closed = ""

    async def status(self) -> str:
        return self.closed


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    routes = router()

    @routes.post("/v1/orders", status_code=201)
    async def order(body: Order, times: Annotated[int, Query(ge=1)] = 1) -> Order:
        if shop.closed:
            raise UnavailableError(shop.closed)
        return Order(amount=body.amount * times)

    @routes.get("/v1/broken")
    async def broken() -> Order:
        raise RuntimeError("a secret of the service")

    app = application(
        "Shop",
        [routes],
        tokens=Tokens("the-token"),
        metrics_tokens=Tokens("another-token"),
        probes=Probes(CollectorRegistry(), shop.status),
        most_bytes=MOST_BYTES,
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("POST", "/v1/orders?times=0", b'{"amount": 1}', 422, "invalid_request", "times: Input should be greater"),
        ("POST", "/v1/orders", b'{"amount": "secret"}', 422, "invalid_request", "amount: Input should be a valid int"),
        ("POST", "/v1/orders", b"{}", 422, "invalid_request", "amount: Field required"),
        ("POST", "/v1/orders", b"", 422, "invalid_request", "the body: Field required"),
        ("POST", "/v1/orders", b"{", 422, "invalid_request", "the body is not JSON"),
        ("POST", "/v1/orders", b"[" * 900, 422, "invalid_request", "the body is not JSON"),
        ("POST", "/v1/orders", b"\xff", 422, "invalid_request", "the body is not JSON"),
        ("POST", "/v1/orders", b" " * (MOST_BYTES + 1), 413, "body_too_large", "larger than 1,000 bytes"),
        ("GET", "/v1/orders", b"", 405, "method_not_allowed", "does not take GET"),
        ("GET", "/v1/nowhere", b"", 404, "not_found", "/v1/nowhere is not a route of this service"),
        ("GET", "/v1/broken", b"", 500, "internal", "its log has the details"),
    ],
)
def test_an_error_has_one_shape(
    client: TestClient, method: str, path: str, body: bytes, status: int, code: str, words: str
) -> None:
    answer = client.request(method, path, content=body, headers=TOKEN)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert words in error["message"]
    assert "secret" not in answer.text


def test_a_body_without_a_declared_length_is_bounded_as_well(client: TestClient) -> None:
    answer = client.post("/v1/orders", content=iter([b" " * 600, b" " * 600]), headers=TOKEN)
    assert answer.status_code == 413


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer another-token"}, {"Authorization": "the-token"}])
def test_without_the_token_no_body_is_read(client: TestClient, given: dict[str, str]) -> None:
    answer = client.post("/v1/orders", content=b" " * 5_000, headers=given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_probes_ask_for_no_token_and_metrics_for_their_own(client: TestClient, shop: Shop) -> None:
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}
    shop.closed = "the door is locked"
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json() == {"error": {"code": "unavailable", "message": "the door is locked"}}
    assert client.get("/metrics", headers=TOKEN).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer another-token"}).status_code == 200


def test_the_document_lists_every_status_of_every_route(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/v1/orders", "/v1/broken", "/healthz", "/readyz", "/metrics"}
    assert set(paths["/v1/orders"]["post"]["responses"]) == {"201", "401", "413", "422", "503"}
    assert paths["/v1/orders"]["post"]["security"]


def test_each_request_has_a_name_and_a_line(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service.access")
    answer = client.post("/v1/orders", json={"amount": 2}, headers=TOKEN | {"x-request-id": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    assert [record.getMessage().split(" in ")[0] for record in caplog.records] == ["POST /v1/orders 201"]
    caplog.clear()
    assert len(client.get("/healthz", headers={"x-request-id": "not\tone"}).headers["x-request-id"]) == 32
    assert not caplog.records
