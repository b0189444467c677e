"""A job's token for the gateway, as its tenant."""

from collections.abc import Collection
from datetime import timedelta

from contract.api_key import Scope
from service.delegation import Delegation, Delegations

LIFE = timedelta(days=7)  # a longer run fails, and has to be begun again


def asking_token(secret: str, tenant: str, name: str, scopes: Collection[Scope]) -> str:
    delegation = Delegation(tenant=tenant, scopes=frozenset(scopes), actor=name)
    return Delegations(secret).sign(delegation, LIFE)
