"""The caller of a request, from its key."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from serving.gateway.catalog import Catalog, Principal
from serving.gateway.errors import Unauthenticated


def authenticated(catalog: Callable[[], Catalog], authorizations: Sequence[str]) -> Principal:
    """From the Authorization headers alone. Raises Unauthenticated."""
    if len(authorizations) > 1:
        raise Unauthenticated("More than one Authorization header was sent; send one.", code="invalid_api_key")
    scheme, _, key = "".join(authorizations).partition(" ")
    principal = catalog().authenticate(key, datetime.now(UTC)) if scheme.lower() == "bearer" else None
    if principal is None:
        raise Unauthenticated("Incorrect API key provided.", code="invalid_api_key")
    return principal
