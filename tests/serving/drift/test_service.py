"""The service over HTTP: what it accepts, what it refuses and what it shows."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from serving.drift.app import create_app
from serving.drift.detector import Detector
from serving.drift.store import Store
from tests.serving.drift.conftest import TOKEN, MakeSettings
from tests.serving.drift.test_detector import A_HOUR, Clock, hours
from tests.serving.drift.traffic import Traffic, observation, observations

NOW = 1_700_000_000.0 + 3_600 * (28 * 24 + 40)
SIGNAL = "query_embedding"
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}
EMBEDDING = Traffic(seed=30).queries(1)[0]


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = NOW
    return clock


@pytest.fixture
def detector(make_settings: MakeSettings, clock: Clock) -> Detector:
    settings = make_settings(window_units=100)
    return Detector(settings, Store(settings.state), clock=clock)


@pytest.fixture
def client(make_settings: MakeSettings, detector: Detector) -> Iterator[TestClient]:
    with TestClient(create_app(make_settings(), detector), headers=ALLOWED) as client:
        yield client


def encoded(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def evaluate(client: TestClient, detector: Detector) -> None:
    assert client.portal is not None
    client.portal.call(detector.evaluate)


def series(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample of the page: its name and label values in the order of the labels' names."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def watch_acme_drift(client: TestClient, detector: Detector, clock: Clock) -> None:
    """Four weeks of traffic, and a window of other topics."""
    traffic = Traffic(seed=31)
    assert client.put("/v1/tenants", json={"tenants": ["acme"]}).json() == {"registered": 1, "refused": []}
    clock.now = NOW - 3_600 * (28 * 24 + 34)
    hours(detector, clock, traffic, 28 * 24)
    evaluate(client, detector)
    hours(detector, clock, traffic, 33, moved=1.0)
    sent = observations("acme", traffic.queries(A_HOUR, moved=1.0))
    reply = client.post("/v1/observations", json={"observations": sent})
    assert (reply.status_code, reply.json()) == (202, {"accepted": A_HOUR, "refused": 0})
    clock.now = NOW
    evaluate(client, detector)


def test_drift_is_shown(client: TestClient, detector: Detector, clock: Clock) -> None:
    watch_acme_drift(client, detector, clock)
    shown = client.get("/v1/drift").json()["tenants"]["acme"]["query_embedding"]
    assert shown["state"] == "drift"
    assert 0 < shown["p_value"] <= shown["alpha"]
    assert shown["statistic"] > 0
    assert shown["since"] == shown["tested_at"] == NOW
    assert (shown["samples"], shown["reference_samples"]) == (0, A_HOUR * 28 * 24)
    assert not shown["provisional"]


def test_drift_is_exported(client: TestClient, detector: Detector, clock: Clock) -> None:
    watch_acme_drift(client, detector, clock)
    shown = client.get("/v1/drift").json()["tenants"]["acme"]["query_embedding"]
    of_acme = {name: value for name, value in series(client).items() if "acme" in name and SIGNAL in name}
    assert of_acme == {
        ("quiver_drift_state", "query_embedding", "ok", "acme"): 0,
        ("quiver_drift_state", "query_embedding", "drift", "acme"): 1,
        ("quiver_drift_state", "query_embedding", "insufficient_evidence", "acme"): 0,
        ("quiver_drift_p_value", "query_embedding", "acme"): shown["p_value"],
        ("quiver_drift_statistic", "query_embedding", "acme"): shown["statistic"],
        ("quiver_drift_samples", "query_embedding", "acme", "reference"): A_HOUR * 28 * 24,
        ("quiver_drift_samples", "query_embedding", "acme", "current"): 0,
        ("quiver_drift_tested_timestamp_seconds", "query_embedding", "acme"): NOW,
    }


def test_a_tenant_without_a_test_has_a_state_and_no_p_value(client: TestClient) -> None:
    client.put("/v1/tenants", json={"tenants": ["acme"]})
    found = series(client)
    assert found[("quiver_drift_state", "query_embedding", "insufficient_evidence", "acme")] == 1
    assert ("quiver_drift_p_value", "query_embedding", "acme") not in found
    shown = client.get("/v1/drift").json()["tenants"]["acme"]["query_embedding"]
    assert (shown["state"], shown["p_value"], shown["statistic"]) == ("insufficient_evidence", None, None)


def test_a_removed_tenant_has_no_series(client: TestClient, detector: Detector, clock: Clock) -> None:
    watch_acme_drift(client, detector, clock)
    client.put("/v1/tenants", json={"tenants": ["globex"]})
    assert not [name for name in series(client) if "acme" in name]
    assert "acme" not in client.get("/v1/drift").text


def test_a_rebase_is_accepted_for_a_watched_tenant(client: TestClient, detector: Detector, clock: Clock) -> None:
    watch_acme_drift(client, detector, clock)
    assert client.post("/v1/tenants/acme/rebase").status_code == 202
    shown = client.get("/v1/drift").json()["tenants"]["acme"]["query_embedding"]
    assert (shown["state"], shown["reference_samples"]) == ("insufficient_evidence", 0)
    refused = client.post("/v1/tenants/globex/rebase")
    assert refused.status_code == 422
    assert "tenant globex is not watched" in refused.json()["error"]["message"]


def test_observations_of_others_are_refused_and_counted(client: TestClient) -> None:
    client.put("/v1/tenants", json={"tenants": ["acme"]})
    sent = [observation("acme"), observation("mallory", EMBEDDING), observation("../etc")]
    assert client.post("/v1/observations", json={"observations": sent}).json() == {"accepted": 1, "refused": 2}
    assert series(client)[("quiver_drift_observations_total", "refused")] == 2
    assert not [name for name in series(client) if "mallory" in name]


def test_tenants_over_the_cap_are_named(client: TestClient) -> None:
    reply = client.put("/v1/tenants", json={"tenants": ["a", "b", "c", "d"]})
    assert reply.json() == {"registered": 3, "refused": ["d"]}
    assert series(client)[("quiver_drift_refused_tenants",)] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"embedding": "not base64!"}, "embedding: Value error, is not base64", id="bad base64"),
        pytest.param({"embedding": encoded(EMBEDDING) + "!"}, "is not base64", id="more than base64"),
        pytest.param({"embedding": "é"}, "embedding: Value error, is not base64", id="base64 beyond ASCII"),
        pytest.param({"embedding": ""}, "has 0 bytes", id="empty"),
        pytest.param({"embedding": encoded(EMBEDDING) + "AAAA"}, "has 1539 bytes", id="no whole number"),
        pytest.param({"embedding": encoded(EMBEDDING * np.nan)}, "has a value that is NaN", id="NaN embedding"),
        pytest.param({"embedding": encoded(EMBEDDING * np.inf)}, "has a value that is NaN", id="infinite embedding"),
        pytest.param({"embedding": [0.1] * 384}, "must be base64 text or null", id="numbers"),
        pytest.param({"tenant": ""}, "tenant: String should have at least 1", id="no tenant"),
        pytest.param({"tenant": 7}, "tenant: Input should be a valid string", id="a number for a name"),
        pytest.param({"retrieval": "maybe"}, "retrieval: Input should be 'evidence'", id="unknown retrieval"),
        pytest.param({"completion_tokens": -1}, "completion_tokens: Input should be greater", id="negative tokens"),
        pytest.param(
            {"completion_tokens": "9"}, "completion_tokens: Input should be a valid integer", id="a text for tokens"
        ),
        pytest.param({"completion_tokens": 10**400}, "completion_tokens", id="a huge number"),
        pytest.param({"answer_s": float("nan")}, "answer_s: Input should be a finite number", id="NaN time"),
        pytest.param({"prompt": "secret words"}, "prompt: Extra inputs are not permitted", id="unknown field"),
        pytest.param({"x" * 100_000: 1}, "xxx", id="unknown field with a long name"),
    ],
)
def test_a_hostile_observation_is_refused(client: TestClient, changes: dict[str, Any], message: str) -> None:
    client.put("/v1/tenants", json={"tenants": ["acme"]})
    good = observation("acme", EMBEDDING)
    body = json.dumps({"observations": [good, good | changes]})
    reply = client.post("/v1/observations", content=body)
    said = reply.json()["error"]["message"]
    assert reply.status_code == 422
    assert said.startswith("observations.1.")
    assert message in said
    assert len(said) <= 500
    assert "secret words" not in said
    assert client.get("/v1/drift").json()["tenants"]["acme"]["query_embedding"]["reference_samples"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 422, id="nothing"),
        pytest.param(b"[]", 422, id="a list"),
        pytest.param(b"{}", 422, id="no field"),
        pytest.param(b"\xff\xfe", 422, id="not text"),
        pytest.param(b"[" * 100_000, 422, id="nested without end"),
        pytest.param(json.dumps({"observations": [observation("acme")] * 1_001}).encode(), 422, id="too many"),
        pytest.param(b" " * 8_000_001, 413, id="too large"),
    ],
)
def test_a_hostile_body_is_refused(client: TestClient, body: bytes, status: int) -> None:
    reply = client.post("/v1/observations", content=body)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]


def test_a_full_batch_is_accepted(client: TestClient) -> None:
    client.put("/v1/tenants", json={"tenants": ["acme"]})
    sent = [observation("acme", EMBEDDING)] * 1_000
    assert client.post("/v1/observations", json={"observations": sent}).json()["accepted"] == 1_000


@pytest.mark.parametrize("name", ["", "Acme", "a/b", "../a", ".a", "a.npz", "-a", "a-", "a\n", "a" * 64, "é"])
def test_a_name_that_is_no_tenant_is_refused(client: TestClient, name: str) -> None:
    reply = client.put("/v1/tenants", json={"tenants": ["acme", name]})
    assert reply.status_code == 422
    assert reply.json()["error"]["message"].startswith("tenants.1: String should ")
    assert client.get("/v1/drift").json()["tenants"] == {}


@pytest.mark.parametrize("authorization", ["", TOKEN, f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN}x", "Bearer é"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/observations"), ("PUT", "/v1/tenants"), ("GET", "/v1/drift")]
)
def test_what_is_known_of_tenants_requires_the_token(
    client: TestClient, method: str, path: str, authorization: str
) -> None:
    reply = client.request(method, path, content=b"{", headers={b"Authorization": authorization.encode("latin-1")})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in reply.text


def test_other_paths_and_methods_are_refused_alike(client: TestClient) -> None:
    nowhere = client.get("/nowhere").json()["error"]
    assert (nowhere["code"], nowhere["message"][:8]) == ("not_found", "/nowhere")
    refused = client.get("/v1/observations")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert refused.json()["error"]["code"] == "method_not_allowed"


def test_health_fails_when_the_evaluation_has_stopped(
    make_settings: MakeSettings, detector: Detector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fails = asyncio.Event()

    async def evaluate(_: Detector) -> None:
        if fails.is_set():
            raise RuntimeError("no memory")

    monkeypatch.setattr(Detector, "evaluate", evaluate)
    monkeypatch.setattr("serving.drift.app.TICK", 0.01)
    with TestClient(create_app(make_settings(), detector), headers=ALLOWED) as client:
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        fails.set()
        while client.get("/healthz").status_code == 200:
            time.sleep(0.01)
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 503
    assert "'evaluate drift' has ended" in caplog.text
