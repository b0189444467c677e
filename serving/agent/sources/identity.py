"""The pod's own cloud identity, and the buckets it is used for (pure)."""

from dataclasses import dataclass
from pathlib import Path

from serving.agent.sources.credentials import Credentials

ACCESS_TOKEN = "GOOGLE_ACCESS_TOKEN"


@dataclass(frozen=True)
class WorkloadIdentity:
    """`buckets` have the form s3://NAME or gs://NAME. EKS sets `role`, `token_file` and `region`."""

    buckets: frozenset[str] = frozenset()
    role: str = ""
    token_file: Path | None = None
    region: str = "us-east-1"
    sts: str = ""
    metadata: str = "http://metadata.google.internal"

    def covers(self, bucket: str, given: Credentials) -> bool:
        """True if the identity is used for this bucket: a tenant's own credentials (`given`) have precedence."""
        return not given.any and bucket in self.buckets
