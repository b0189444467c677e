"""A real Prometheus that scrapes every part of a running platform, with the rules that the chart ships."""

import json
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

from examples.demo.platform import Platform, end_with_parent
from monitoring.rules import rules
from operators.local.layout import free_port
from service.addresses import UNIX
from tests.debian import program

# As a PodMonitor adds it.
NAMESPACE = "quiver"
PARTS = {
    "serving.gateway": "QUIVER_GATEWAY_INTERNAL_PORT",
    "serving.agent": "QUIVER_AGENT_PORT",
    "serving.drift": "QUIVER_DRIFT_PORT",
    "retrieval": "QUIVER_RETRIEVAL_PORT",
    "retrieval.ingest": "QUIVER_INGEST_PORT",
}


@dataclass(frozen=True)
class Prometheus:
    url: str
    targets: int

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series of an instant query, with their last values."""
        try:
            series: list[dict[str, Any]] = self._data(f"query?{urllib.parse.urlencode({'query': expr})}")["result"]
        except OSError:
            return []  # it starts
        return series

    def has_scraped_since(self, moment_s: float) -> bool:
        """Every target, since this moment of the clock."""
        series = self.query("timestamp(up) and up == 1")
        return len(series) == self.targets and all(float(each["value"][1]) > moment_s for each in series)

    def health_of_rules(self) -> list[str]:
        return [rule["health"] for group in self._data("rules")["groups"] for rule in group["rules"]]

    def _data(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}") as response:
            return json.load(response)["data"]


@contextmanager
def prometheus(platform: Platform, folder: Path) -> Iterator[Prometheus]:
    """Skips the test where Debian's archive cannot be reached."""
    binary, port = program("prometheus", "usr/bin/prometheus"), free_port()
    with _engine_metrics(platform) as engine:
        targets = {name: _port(platform, name, variable) for name, variable in PARTS.items()} | {"engine": engine}
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules()))
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(_config(platform, targets)))
        command = [
            str(binary), f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]  # fmt: skip
        process = subprocess.Popen(command, preexec_fn=end_with_parent)
        try:
            yield Prometheus(f"http://127.0.0.1:{port}", targets=len(targets))
        finally:
            process.terminate()
            process.wait()


def _config(platform: Platform, ports: dict[str, int]) -> dict[str, Any]:
    token = (platform.root / ".quiver" / "metrics-token").read_text()
    jobs = [
        {
            "job_name": name,
            "authorization": {"credentials": token},
            "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": NAMESPACE, "pod": name}}],
        }
        for name, port in ports.items()
    ]
    every = {"scrape_interval": "2s", "evaluation_interval": "2s"}
    return {"global": every, "rule_files": ["rules.yaml"], "scrape_configs": jobs}


def _port(platform: Platform, module: str, variable: str) -> int:
    return int(platform.part(module).environ()[variable])


@contextmanager
def _engine_metrics(platform: Platform) -> Iterator[int]:
    """A port for the engine's metrics: `quiver up` has it listen on a socket of the file system."""
    path = platform.part("serving.agent").environ()["QUIVER_AGENT_ENGINE_URL"].removeprefix(UNIX)

    class Relay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = _read(path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def _read(path: str) -> bytes:
    """The metrics of a server that listens on a socket of the file system."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: engine\r\n\r\n")
        response = HTTPResponse(connection)
        response.begin()
        return response.read()
