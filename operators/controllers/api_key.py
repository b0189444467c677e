"""APIKey: report whether it is accepted, and reconcile it again when it expires."""

from datetime import datetime

from contract.api_key import APIKey
from contract.conditions import stamp
from contract.resource import Key
from operators.controllers.surroundings import Surroundings
from operators.reconcile.tenant import key_status


async def reconcile(key: Key, around: Surroundings, now: datetime) -> float | None:
    stored = around.cache.stored(key, APIKey)
    if stored is None:
        return None
    verdict = around.cache.verdict(stored.item, now)
    await around.store.write_status(stored, key_status(stored.item, verdict=verdict, now=stamp(now)))
    expires = stored.item.spec.expires_at
    return (expires - now).total_seconds() if expires and expires > now else None
