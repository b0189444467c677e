"""Paths, ports and tokens of one local run."""

import contextlib
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from operators.local.decisions import FOLDER
from operators.local.directory import STATE

LOOPBACK = "127.0.0.1"
# Linux takes ports of outgoing connections from 32768 on (net.ipv4.ip_local_port_range).
_PORTS = range(20_000, 32_768)


def free_port() -> int:
    """A free port. The system gives it to no outgoing connection before its process listens there."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


# Each pair of caller and service has its own token, so a leaked one opens one service only.
PAIRS = ("runner-agent", "runner-gateway", "runner-ingest", "runner-drift", "gateway-retrieval", "gateway-ingest",
         "gateway-drift", "management-gateway", "console-management", "platform", "engine", "metrics")  # fmt: skip


def _tokens() -> Mapping[str, str]:
    return {pair: secrets.token_hex(32) for pair in PAIRS}


METRICS_TOKEN = "metrics-token"


@dataclass(frozen=True)
class Layout:
    """One run. Tokens are new each time, and live in the processes' environments only; the metrics token is also in a
    file for Prometheus, and the platform's key in one for whoever runs this."""

    root: Path
    runtime: Path  # sockets: a short private path
    gateway_port: int
    engine_python: Path
    embedder: Mapping[str, str] = field(repr=False)  # settings of search and ingest, without their prefix
    environment: Mapping[str, str]
    # in addition, for processes that download models
    fetching: Mapping[str, str] = field(default_factory=dict, repr=False)
    internal_port: int = field(default_factory=free_port)
    retrieval_port: int = field(default_factory=free_port)
    ingest_port: int = field(default_factory=free_port)
    drift_port: int = field(default_factory=free_port)
    management_port: int = field(default_factory=free_port)
    console_port: int = field(default_factory=free_port)
    tokens: Mapping[str, str] = field(default_factory=_tokens, repr=False)

    @property
    def state(self) -> Path:
        return self.root / STATE

    @property
    def milvus_uri(self) -> str:
        """Milvus Lite builds its address from host and port, so the file name ends in a stand-in for the port."""
        return f"unix:{self.runtime / 'milvus'}:1"

    @property
    def stores(self) -> Path:
        """The directory of the agents' stores, one for each replica."""
        return self.state / "store"

    @property
    def metrics_token(self) -> Path:
        return self.state / METRICS_TOKEN

    @property
    def platform_key(self) -> Path:
        return self.state / "platform-key"

    @property
    def jobs(self) -> Path:
        return self.state / "jobs"

    @property
    def decisions(self) -> Path:
        return self.state / FOLDER

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def snapshot(self) -> Path:
        return self.state / "snapshot.json"


def url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
