"""The scope of a call. Only this module builds filters for Milvus; `filters` adds what a caller asks for.

A filter is text: an empty scope would give an empty filter, which matches everything, so a `Scope` cannot be empty.
Names are compared without normalisation: names that look alike are different names.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from contract.body import PRINTABLE_NAME_BYTES
from contract.filters import Filter
from contract.search import is_printable_name
from retrieval.errors import EmptyScopeError, InvalidRequestError
from retrieval.filters import expression, literal

CARD = -1  # the ordinal of a knowledge base's card, the row with its statistics; chunks count from 0
# Of all tenants: for the list of tenants, and to see whether a collection is empty.
CARDS, EVERYTHING = f"ordinal == {CARD}", f"ordinal >= {CARD}"


def checked_name(kind: str, name: str) -> str:
    """The name, if it is valid. Raises EmptyScopeError or InvalidRequestError."""
    if not name:
        raise EmptyScopeError(f"The {kind} is empty: name one.")
    if not is_printable_name(name):
        raise InvalidRequestError(
            f"The {kind} {name[:80]!a} is not a name: use 1 to {PRINTABLE_NAME_BYTES} printable bytes."
        )
    return name


def one_of(field: str, values: Iterable[str]) -> str:
    """`field in [...]`. Milvus cannot parse an empty list, so it is refused here."""
    listed = ", ".join(literal(value) for value in values)
    if not listed:
        raise EmptyScopeError(f"No value to compare {field} with: name at least one.")
    return f"{field} in [{listed}]"


def every_card(tenant: str) -> str:
    """The cards of all of a tenant's knowledge bases."""
    return f"{every_row(tenant)} and {CARDS}"


def every_chunk(tenant: str) -> str:
    """The chunks of all of a tenant's knowledge bases."""
    return f"{every_row(tenant)} and ordinal > {CARD}"


def every_row(tenant: str) -> str:
    """Everything of a tenant."""
    return f"tenant == {literal(checked_name('tenant', tenant))}"


@dataclass(frozen=True)
class Scope:
    """One tenant and at least one of its knowledge bases, in the order given, without repeats."""

    tenant: str
    knowledge_bases: tuple[str, ...]

    def __post_init__(self) -> None:
        checked_name("tenant", self.tenant)
        if not self.knowledge_bases:
            raise EmptyScopeError(f"The scope of tenant {self.tenant} lists no knowledge base: name at least one.")
        names = tuple(dict.fromkeys(checked_name("knowledge base", name) for name in self.knowledge_bases))
        object.__setattr__(self, "knowledge_bases", names)

    def admits(self, tenant: str, knowledge_base: str) -> bool:
        """True if a returned row belongs to the scope; checked in addition to the filter."""
        return tenant == self.tenant and knowledge_base in self.knowledge_bases

    def filter(self) -> str:
        """Every row of the scope, cards included."""
        return f"tenant == {literal(self.tenant)} and {one_of('knowledge_base', self.knowledge_bases)}"

    def cards(self) -> str:
        return f"{self.filter()} and {CARDS}"

    def chunks(self) -> str:
        return f"{self.filter()} and ordinal > {CARD}"

    def matching(self, filter_: Filter | None) -> str:
        """The chunks that a caller's filter leaves."""
        return f"{self.chunks()} and {expression(filter_)}" if filter_ else self.chunks()

    def embedded_chunks(self, embedder: str, filter_: Filter | None = None) -> str:
        """Chunks with a vector of this embedder: only these can be compared with its other vectors."""
        return f"{self.matching(filter_)} and embedder == {literal(embedder)}"

    def document(self, document_id: str) -> str:
        return f"{self.chunks()} and document_id == {literal(document_id)}"

    def file(self, file_id: str) -> str:
        return f"{self.chunks()} and file_id == {literal(file_id)}"

    def version(self, document_id: str, version: str) -> str:
        return f"{self.document(document_id)} and version == {literal(version)}"

    def other_versions(self, document_id: str, version: str) -> str:
        return f"{self.document(document_id)} and version != {literal(version)}"

    def chunks_by_id(self, ids: Iterable[str]) -> str:
        return f"{self.chunks()} and {one_of('id', ids)}"

    def chunks_by_content(self, embedder: str, contents: Iterable[str]) -> str:
        return f"{self.embedded_chunks(embedder)} and {one_of('content', contents)}"
