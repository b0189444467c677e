"""Limits of a fetch: which places it may reach, size and time."""

from dataclasses import dataclass, field
from pathlib import Path

from serving.agent.sources.identity import WorkloadIdentity


@dataclass(frozen=True)
class Policy:
    """`max_bytes` bounds both files together, `timeout_s` a whole fetch, `stall_s` the silence within one.

    `file://` reaches only paths below `file_roots`; `pvc://CLAIM/…` is `volumes/CLAIM/…`. `allow_private` allows
    private addresses and connections without TLS; `private_hosts` (HOST or HOST:PORT) allows both for these hosts only.
    Every other host is reached through `proxy`, which then decides about addresses. `workload` is the platform's own
    identity in clouds. `ca_file` (PEM) is trusted beside the system's authorities.
    """

    max_bytes: int
    timeout_s: float
    stall_s: float
    file_roots: tuple[Path, ...]
    volumes: Path | None
    allow_private: bool
    hf_endpoint: str = "https://huggingface.co"
    gs_endpoint: str = "https://storage.googleapis.com"
    ca_file: Path | None = None
    private_hosts: frozenset[str] = frozenset()
    proxy: str | None = None
    workload: WorkloadIdentity = field(default_factory=WorkloadIdentity)

    def is_inside(self, host: str | None, port: int | None) -> bool:
        """True if the platform allows adapters from this host at any address, and without TLS."""
        name = (host or "").lower()
        return self.allow_private or name in self.private_hosts or f"{name}:{port}" in self.private_hosts
