"""The buckets for the pod's own service account (pure)."""

from dataclasses import dataclass
from pathlib import Path

from serving.agent.sources.credentials import Credentials

ACCESS_TOKEN = "GOOGLE_ACCESS_TOKEN"


@dataclass(frozen=True)
class WorkloadIdentity:
    """`buckets` are s3://NAME and gs://NAME. `role`, `token_file` and `region` come from EKS."""

    buckets: frozenset[str] = frozenset()
    role: str = ""
    token_file: Path | None = None
    region: str = "us-east-1"
    sts: str = ""
    metadata: str = "http://metadata.google.internal"

    def covers(self, bucket: str, given: Credentials) -> bool:
        """A tenant's own credentials come first; other buckets are not for the platform's identity."""
        return not given.values and bucket in self.buckets
