"""The token by which a job asks the gateway, as its tenant."""

from datetime import timedelta

from service.delegation import Delegation, Delegations

LIFE = timedelta(days=7)  # a run that takes longer fails, and has to be begun again


def asking_token(secret: str, tenant: str, name: str) -> str:
    delegation = Delegation(tenant=tenant, scopes=frozenset({"inference"}), actor=name)
    return Delegations(secret).sign(delegation, LIFE)
