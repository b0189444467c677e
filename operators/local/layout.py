"""Where everything of one local run is: paths, ports and tokens."""

import contextlib
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from operators.local.decisions import FOLDER
from operators.local.directory import STATE

LOOPBACK = "127.0.0.1"
# Linux gives a connection a port from 32768 on (net.ipv4.ip_local_port_range).
_PORTS = range(20_000, 32_768)


def free_port() -> int:
    """One that the system says is free, and gives to no connection before the process that it is for listens there."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


# Who calls whom: each pair has a token of its own, so that one that leaks opens one door.
PAIRS = ("runner-agent", "runner-gateway", "runner-ingest", "runner-drift", "gateway-retrieval", "gateway-drift",
         "engine", "metrics")  # fmt: skip


def _tokens() -> Mapping[str, str]:
    return {pair: secrets.token_hex(32) for pair in PAIRS}


@dataclass(frozen=True)
class Layout:
    """One run. Tokens are new each time and live in the processes' environments only; that for metrics is in a file
    for Prometheus as well."""

    root: Path
    runtime: Path  # sockets: a short path that nobody else may enter
    gateway_port: int
    engine_python: Path
    embedder: Path
    environment: Mapping[str, str]
    fetching: Mapping[str, str] = field(default_factory=dict, repr=False)  # for what fetches models, beside the above
    internal_port: int = field(default_factory=free_port)
    retrieval_port: int = field(default_factory=free_port)
    ingest_port: int = field(default_factory=free_port)
    drift_port: int = field(default_factory=free_port)
    tokens: Mapping[str, str] = field(default_factory=_tokens, repr=False)

    @property
    def state(self) -> Path:
        return self.root / STATE

    @property
    def milvus_uri(self) -> str:
        """Its server makes an address of a host and a port, so the file's name ends in what stands for the port."""
        return f"unix:{self.runtime / 'milvus'}:1"

    @property
    def stores(self) -> Path:
        """Of agents, one for each replica."""
        return self.state / "store"

    @property
    def metrics_token(self) -> Path:
        return self.state / "metrics-token"

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
