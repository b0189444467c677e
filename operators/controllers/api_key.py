"""APIKey: say whether it counts, and look again when it expires."""

from datetime import datetime

from contract.api_key import APIKey
from contract.conditions import stamp
from contract.resource import Key
from operators.controllers.actions import Actions
from operators.controllers.world import World
from operators.reconcile.tenant import key_status


async def reconcile(key: Key, world: World, act: Actions, now: datetime) -> float | None:
    known = world.known.get(key)
    if known is None or not isinstance(known.item, APIKey):
        return None
    verdict = world.verdict(known.item, now)
    await act.status(known, key_status(known.item, verdict=verdict, now=stamp(now)))
    expires = known.item.spec.expires_at
    return (expires - now).total_seconds() if expires and expires > now else None
