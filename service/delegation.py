"""Short-lived tokens: the management API signs what a person may do, and a gateway accepts it in place of an API key.

A JSON Web Token (RFC 7519), signed with HMAC-SHA-256 by a secret that both know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from contract.api_key import Scope
from service.tokens import SEPARATOR, first

LIFE = timedelta(seconds=60)  # a request is authenticated as it begins; an answer may take longer
_ALGORITHM = "HS256"
_AUDIENCE = "quiver-gateway"
_REQUIRED = ["aud", "exp", "sub", "tenant", "scopes"]


@dataclass(frozen=True)
class Delegation:
    """`actor` is the person or key that acts, for logs."""

    tenant: str
    scopes: frozenset[Scope]
    actor: str
    models: frozenset[str] | None = None
    """The models that may be used; None for all of the tenant's."""


class Delegations:
    """`secret` may list several, separated by commas, while it is replaced: the first signs, all are accepted."""

    def __init__(self, secret: str) -> None:
        self._first = first(secret)
        self._all: Sequence[str] = [each.strip() for each in secret.split(SEPARATOR) if each.strip()]

    def sign(self, delegation: Delegation, life: timedelta | None = None) -> str:
        """Valid for `life`, by default as long as a request takes to be authenticated."""
        claims = {
            "aud": _AUDIENCE,
            "exp": datetime.now(UTC) + (life or LIFE),
            "sub": delegation.actor,
            "tenant": delegation.tenant,
            "scopes": sorted(delegation.scopes),
            "models": None if delegation.models is None else sorted(delegation.models),
        }
        return jwt.encode(claims, self._first, _ALGORITHM)

    def read(self, token: str) -> Delegation | None:
        """None for a token that is expired, for something else, or not signed by one of the secrets."""
        return next((each for secret in self._all if (each := _read(token, secret))), None)


def _read(token: str, secret: str) -> Delegation | None:
    try:
        claims = jwt.decode(token, secret, [_ALGORITHM], audience=_AUDIENCE, options={"require": _REQUIRED})
    except jwt.InvalidTokenError:
        return None
    models = claims.get("models")
    return Delegation(
        tenant=str(claims["tenant"]),
        scopes=frozenset(claims["scopes"]),
        actor=str(claims["sub"]),
        models=None if models is None else frozenset(models),
    )
