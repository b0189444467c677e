"""APIKey: report whether it is accepted, and reconcile it again when it expires."""

from datetime import datetime

from contract.api_key import APIKey
from contract.conditions import stamp
from contract.resource import Key
from operators.controllers.context import Context
from operators.reconcile.tenant import key_status


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    stored = context.cache.stored(key, APIKey)
    if stored is None:
        return None
    verdict = context.cache.verdict(stored.item, now)
    used = context.cache.key_uses.get(key)
    await context.store.write_status(stored, key_status(stored.item, verdict=verdict, used=used, now=stamp(now)))
    expires = stored.item.spec.expires_at
    return (expires - now).total_seconds() if expires and expires > now else None
