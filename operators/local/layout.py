"""Where everything of one local run is: paths, ports and tokens."""

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from operators.local.directory import STATE

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that the system says is free. It is bound again at once by the process that it is for."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _token() -> str:
    return secrets.token_hex(32)


@dataclass(frozen=True)
class Layout:
    """One run. Tokens are new each time and live in the processes' environments only."""

    root: Path
    gateway_port: int
    engine_python: Path
    embedder: Path
    environment: Mapping[str, str]
    internal_port: int = field(default_factory=free_port)
    milvus_port: int = field(default_factory=free_port)
    retrieval_port: int = field(default_factory=free_port)
    ingest_port: int = field(default_factory=free_port)
    drift_port: int = field(default_factory=free_port)
    internal_token: str = field(default_factory=_token, repr=False)
    engine_token: str = field(default_factory=_token, repr=False)

    @property
    def state(self) -> Path:
        return self.root / STATE

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def snapshot(self) -> Path:
        return self.state / "snapshot.json"


def url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
