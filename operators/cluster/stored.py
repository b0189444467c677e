"""Objects as the API server has them → stored objects (pure)."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from contract.adapter import Decision
from contract.objects import AnyObject, parse_stored
from operators.controllers.stored_object import StoredObject

# What somebody decided by hand, as JSON: `quiver promote` and `quiver rollback` write it.
DECISION = "quiver.dev/decision"
LONGEST_DECISION = 1024  # characters


def read(data: Mapping[str, Any]) -> StoredObject[AnyObject]:
    """Raises InvalidObjectError for what another release may have written and this one cannot read."""
    metadata = data["metadata"]
    return StoredObject(
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
