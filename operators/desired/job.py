"""A job: its inputs and the places of its files (pure)."""

from dataclasses import dataclass, field

from contract.fine_tune import Data
from contract.job import DATA, REFERENCE
from contract.resource import Key


@dataclass(frozen=True, kw_only=True)
class Job:
    """`data` is fetched first, with `credentials` as `serving.agent.fetch` reads them;
    empty without any. `token` lets the job ask the gateway as its tenant; empty if it asks nothing."""

    key: Key
    run: str
    tenant: str
    data: Data
    credentials: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def asks(self) -> bool:
        """Whether its work asks models, as its tenant."""
        return False

    @property
    def data_file(self) -> str:
        """The name of the fetched data in the folder."""
        return DATA

    @property
    def prefix(self) -> str:
        """The beginning of the names of all folders of its object. Names have no dot."""
        return folder_prefix(self.key)

    @property
    def folder(self) -> str:
        """Its own folder, below the one of all jobs."""
        return f"{self.tenant}/runs/{self.prefix}{self.run}"

    def fetch_arguments(self, root: str) -> tuple[str, ...]:
        """Of `python -m serving.agent.fetch`. `root` is the folder of all jobs."""
        pinned = ("--sha256", self.data.digest) if self.data.digest else ()
        kept = f"{self.prefix}{REFERENCE}"
        words = ("--alone", self.prefix, "--keep", kept)
        return ("--data", self.data.source, f"{root}/{self.folder}/{self.data_file}", *words, *pinned)


def folder_prefix(key: Key) -> str:
    return f"{key.kind.lower()}.{key.name}."
