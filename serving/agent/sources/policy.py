"""What a fetch may reach, and how much of it."""

from dataclasses import dataclass, field
from pathlib import Path

from serving.agent.sources.identity import WorkloadIdentity


@dataclass(frozen=True)
class Policy:
    """`max_bytes` bounds both files together, `timeout_s` a whole fetch, `stall_s` the silence within one.

    `file://` reaches only what is below `file_roots`; `pvc://CLAIM/…` is `volumes/CLAIM/…`. `allow_private` lets
    connections go to addresses that are not public, and without TLS; `private_hosts` lets them do so for these hosts
    alone, by name and port where one is given. `proxy` is asked for every other host; it decides where it goes.
    `workload` is the platform's own identity in clouds. `ca_file` (PEM) is trusted beside the system's authorities.
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
        """Whether the platform lets adapters come from this host, wherever it is."""
        name = (host or "").lower()
        return self.allow_private or name in self.private_hosts or f"{name}:{port}" in self.private_hosts
