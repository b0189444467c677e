"""Objects as the API server has them → stored objects (pure)."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from contract.adapter import Decision
from contract.adapter_slice import AdapterSlice
from contract.objects import AnyObject, parse_stored
from contract.value import compacted
from operators.controllers.slice_index import StoredSlice
from operators.controllers.stored_object import StoredObject

# A decision by hand as JSON, written by `quiver promote` and `quiver rollback`.
DECISION = "quiver.dev/decision"
LONGEST_DECISION = 1024  # characters


def read(data: Mapping[str, Any]) -> StoredObject[AnyObject]:
    """Raises InvalidObjectError for an object of another release, unreadable here."""
    metadata = data["metadata"]
    return StoredObject(
        item=compacted(parse_stored(data)),
        version=metadata["resourceVersion"],
        uid=metadata["uid"],
        deleting="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers", ())),
        decision=_decision((metadata.get("annotations") or {}).get(DECISION)),
    )


def read_slice(data: Mapping[str, Any]) -> StoredSlice:
    """Raises ValueError for a slice of another release."""
    return StoredSlice(AdapterSlice.from_data(data), data["metadata"]["resourceVersion"])


def _decision(text: str | None) -> Decision | None:
    """An unreadable decision is ignored. Tenants write it, so it may have any length and depth."""
    if text is None or len(text) > LONGEST_DECISION:
        return None
    try:
        return Decision.model_validate_json(text)
    except ValidationError:
        return None
