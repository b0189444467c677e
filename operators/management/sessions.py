"""Sign-ins: a random secret in the person's hands, and its digest in the database."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from operators.management import tables
from operators.management.identity import ALL_SCOPES, Identity
from operators.management.records import SECOND, Records
from service.clock import microseconds

PREFIX = "qvs-"
IDLE_S = 8 * 3600
LONGEST_S = 24 * 3600
_NOTE_S = 60  # a use is noted once a minute


@dataclass(frozen=True)
class Session:
    """`key_digest` is empty for people of a provider: the session has their identity."""

    identity: Identity
    key_digest: str
    created: int
    used: int

    def is_over(self, at: int) -> bool:
        return at - self.used > IDLE_S * SECOND or at - self.created > LONGEST_S * SECOND


class Sessions:
    def __init__(self, records: Records) -> None:
        self._records = records

    async def open(self, identity: Identity, key_digest: str = "") -> str:
        """The secret of a new session. Expired sessions are dropped."""
        secret, at = PREFIX + secrets.token_hex(32), microseconds()
        row = {
            "digest": _digest(secret),
            "tenant": identity.tenant or "",
            "actor": identity.actor,
            "scopes": ",".join(sorted(identity.scopes)),
            "key_digest": key_digest,
            "created": at,
            "used": at,
        }
        over = delete(tables.sessions).where(
            (tables.sessions.c.used < at - IDLE_S * SECOND) | (tables.sessions.c.created < at - LONGEST_S * SECOND)
        )
        await self._records.write(
            lambda connection: (connection.execute(over), connection.execute(insert(tables.sessions), row))
        )
        return secret

    async def find(self, secret: str) -> Session | None:
        """The open session of a secret."""
        chosen, at = tables.sessions.c.digest == _digest(secret), microseconds()
        row = await self._records.read(
            lambda connection: connection.execute(select(tables.sessions).where(chosen)).first()
        )
        if row is None:
            return None
        scopes = frozenset(scope for scope in ALL_SCOPES if scope in row.scopes.split(","))
        identity = Identity(row.actor, row.tenant or None, scopes)
        session = Session(identity, row.key_digest, row.created, row.used)
        if session.is_over(at):
            return None
        if at - session.used > _NOTE_S * SECOND:
            used = update(tables.sessions).where(chosen).values(used=at)
            await self._records.write(lambda connection: connection.execute(used))
        return session

    async def close(self, secret: str) -> None:
        gone = delete(tables.sessions).where(tables.sessions.c.digest == _digest(secret))
        await self._records.write(lambda connection: connection.execute(gone))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
