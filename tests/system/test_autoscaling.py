"""What a base model's autoscaler asks for, answered by a real prometheus-adapter with the chart's rules, from a real
Prometheus that scrapes the platform, beside a real API server."""

import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pytest
import yaml

from contract.base_model import Autoscaling, BaseModel
from examples.demo.platform import Platform, end_with_parent
from operators.desired.engine_workload import BASE_MODEL, engine_workload
from operators.desired.engine_workload import Platform as Cluster
from operators.local.layout import free_port
from tests.api_server.parts import namespace
from tests.api_server.server import ApiServer, api_server
from tests.charts.helm import CHART, program
from tests.operators import objects
from tests.system.prometheus import NAMESPACE, prometheus

BASE = "quiver-demo"
LIMIT_S = 120
CUSTOM, EXTERNAL = (f"/apis/{group}.metrics.k8s.io/v1beta1" for group in ("custom", "external"))


@dataclass(frozen=True)
class MetricsApi:
    """`prometheus-adapter`, asked with the token of an administrator."""

    url: str
    token: str

    def ask(self, path: str) -> Any:
        """None while it does not answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)
        context = ssl._create_unverified_context()  # it signs its certificate itself, on loopback
        try:
            with urllib.request.urlopen(request, context=context) as answer:
                return json.load(answer)
        except OSError:
            return None


@pytest.fixture(scope="module")
def metrics(platform: Platform, acme: openai.OpenAI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricsApi]:
    folder = tmp_path_factory.mktemp("autoscaling")
    with api_server() as server, prometheus(platform, folder) as scraping:
        metadata = {"name": "engine", "namespace": NAMESPACE, "labels": {BASE_MODEL: BASE}}
        spec = {"containers": [{"name": "engine", "image": "none"}]}
        server.apply(namespace(NAMESPACE))
        server.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        acme.chat.completions.create(model="support", messages=[{"role": "user", "content": "Hello"}], max_tokens=4)
        with _adapter(server, scraping.url, folder) as api:
            yield api


@contextmanager
def _adapter(server: ApiServer, prometheus_url: str, folder: Path) -> Iterator[MetricsApi]:
    """Skips the test where it cannot be compiled."""
    rules = yaml.safe_load((CHART / "monitoring/prometheus-adapter.yaml").read_text())["rules"]
    (folder / "adapter.yaml").write_text(yaml.safe_dump({"rules": rules["custom"], "externalRules": rules["external"]}))
    port, who = free_port(), str(server.kubeconfig)
    command = [
        str(program("adapter")), f"--secure-port={port}", f"--cert-dir={folder}/certificates",
        f"--config={folder}/adapter.yaml",
        f"--prometheus-url={prometheus_url}/", "--metrics-relist-interval=2s", "--metrics-max-age=1m",
        f"--lister-kubeconfig={who}", f"--authentication-kubeconfig={who}", f"--authorization-kubeconfig={who}",
        "--authentication-skip-lookup",
    ]  # fmt: skip
    with (folder / "adapter.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=end_with_parent)
        try:
            yield MetricsApi(f"https://127.0.0.1:{port}", server.admin_token)
        finally:
            process.terminate()
            process.wait()


def _asked() -> list[dict[str, Any]]:
    """The metrics of the autoscaler that the operator makes."""
    base = objects.base_model(BASE)
    assert isinstance(base, BaseModel)
    spec = base.spec.model_copy(update={"autoscaling": Autoscaling(max_replicas=2, tokens_in_flight=1000)})
    made = engine_workload(
        base.model_copy(update={"spec": spec}),
        uid="u",
        platform=Cluster(namespace=NAMESPACE, engine_image="e", agent_image="a"),
    )
    autoscaler = next(item for item in made if item["kind"] == "HorizontalPodAutoscaler")
    metrics: list[dict[str, Any]] = autoscaler["spec"]["metrics"]
    return metrics


def test_the_requests_that_wait_in_an_engine_are_a_metric_of_its_pod(platform: Platform, metrics: MetricsApi) -> None:
    name = _asked()[0]["pods"]["metric"]["name"]
    path = f"{CUSTOM}/namespaces/{NAMESPACE}/pods/%2A/{name}?labelSelector={BASE_MODEL}%3D{BASE}"
    platform.wait_until(partial(metrics.ask, path), what="the metric of the pod", limit_s=LIMIT_S)
    (item,) = metrics.ask(path)["items"]
    assert (item["describedObject"]["name"], item["metricName"], item["value"]) == ("engine", name, "0")


def test_the_tokens_in_flight_of_a_base_model_are_an_external_metric(platform: Platform, metrics: MetricsApi) -> None:
    metric = _asked()[1]["external"]["metric"]
    ((label, value),) = metric["selector"]["matchLabels"].items()
    path = f"{EXTERNAL}/namespaces/{NAMESPACE}/{metric['name']}?labelSelector={label}%3D{value}"
    platform.wait_until(lambda: (metrics.ask(path) or {}).get("items"), what="the metric", limit_s=LIMIT_S)
    (item,) = metrics.ask(path)["items"]
    assert (item["metricLabels"], item["value"]) == ({"base_model": BASE}, "0")
