"""Quantities of resources, as Kubernetes writes them."""

from math import isfinite
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, without negative quantities.
QUANTITY_PATTERN = r"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(n|u|m|k|[KMGTPE]i|[MGTPE]|[eE][+-]?[0-9]{1,3})?$"


def _as_text(value: Any) -> Any:
    """A number as text: YAML reads `4` and `0.5` as numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return value
    return str(int(value)) if value == int(value) else repr(value)


Quantity = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(pattern=QUANTITY_PATTERN, max_length=32),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY_PATTERN, "maxLength": 32}),
]
