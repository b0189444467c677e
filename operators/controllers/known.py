"""An object of ours as it is on the API server, with what only a cluster knows of it (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from contract.adapter import Decision
from contract.objects import AnyObject, parse_stored
from contract.resource import Key

O = TypeVar("O", bound=AnyObject)  # noqa: E741

# What somebody decided by hand, as JSON: `quiver promote` and `quiver rollback` write it.
DECISION = "quiver.dev/decision"
LONGEST_DECISION = 1024  # characters


@dataclass(frozen=True, eq=False)
class Known(Generic[O]):
    """`version` is the server's resourceVersion, which says whether two of these are the same."""

    item: O
    version: str
    uid: str
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    decision: Decision | None = None

    @property
    def key(self) -> Key:
        return self.item.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and (self.uid, self.version) == (other.uid, other.version)

    def __hash__(self) -> int:
        return hash((self.uid, self.version))


def read(data: Mapping[str, Any]) -> Known[AnyObject]:
    """Raises InvalidObjectError for what another release may have written and this one cannot read."""
    metadata = data["metadata"]
    return Known(
        item=parse_stored(data),
        version=metadata["resourceVersion"],
        uid=metadata["uid"],
        deleting="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers", ())),
        decision=_decision((metadata.get("annotations") or {}).get(DECISION)),
    )


def _decision(text: str | None) -> Decision | None:
    """What cannot be read decides nothing. A tenant writes it: it may be of any length and depth."""
    if text is None or len(text) > LONGEST_DECISION:
        return None
    try:
        return Decision.model_validate_json(text)
    except ValidationError:
        return None
