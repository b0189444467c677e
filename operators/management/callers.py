"""Identifies callers by an API key, by the session of a sign-in, or by the platform's own key."""

from datetime import UTC, datetime

from starlette.datastructures import Headers

from contract.acceptance import owners
from contract.api_key import APIKey, key_digest, key_namespace
from contract.conditions import ACCEPTED, find
from contract.objects import Objects
from operators.management.attempts import Attempts
from operators.management.errors import NotFoundError
from operators.management.identity import PLATFORM, Identity, of_key
from operators.management.oidc import IdTokens
from operators.management.place import Place
from operators.management.sessions import PREFIX, Session, Sessions
from service.errors import UnauthorizedError
from service.tokens import Tokens

CONSOLE_HEADER = "x-quiver-console"  # the console's own token
ADDRESS_HEADER = "x-quiver-address"  # of the person, from the console alone
_UNKNOWN = "The key or session is not valid, or no longer: sign in again."


class Callers:
    def __init__(
        self,
        place: Place,
        sessions: Sessions,
        attempts: Attempts,
        *,
        platform: Tokens | None,
        console: Tokens | None,
        id_tokens: IdTokens | None,
    ) -> None:
        self._place, self._sessions, self._attempts = place, sessions, attempts
        self._platform, self._console, self._id_tokens = platform, console, id_tokens

    async def identity(self, headers: Headers) -> Identity:
        """Raises UnauthorizedError."""
        secret = bearer(headers)
        identity = await self._of_session(secret) if secret.startswith(PREFIX) else (await self._of_key(secret))[0]
        if identity is None:
            raise UnauthorizedError(_UNKNOWN)
        return identity

    async def sign_in(self, key: str, address: str) -> tuple[str, Identity]:
        """A new session, for whom. Raises UnauthorizedError and TooManyAttemptsError."""
        await self._attempts.check(address)
        identity, digest = await self._of_key(key)
        if identity is None:
            await self._attempts.add(address)
            raise UnauthorizedError(
                "This key is not valid, or no longer: check that it is complete, or ask for another."
            )
        return await self._sessions.open(identity, digest), identity

    async def sign_in_by_provider(self, token: str, nonce: str, address: str) -> tuple[str, Identity]:
        """A new session, for whom. Raises UnauthorizedError, ForbiddenError, UnavailableError and
        TooManyAttemptsError."""
        if self._id_tokens is None:
            raise NotFoundError("This platform has no provider of sign-ins: sign in with a key.")
        await self._attempts.check(address)
        try:
            identity = await self._id_tokens.identity(token, nonce)
        except UnauthorizedError:
            await self._attempts.add(address)
            raise
        return await self._sessions.open(identity), identity

    def address(self, headers: Headers, peer: str) -> str:
        """Of the person: the console says it of its own callers."""
        named = headers.get(ADDRESS_HEADER, "")
        return named[:64] if named and self.is_console(headers) else peer

    def is_console(self, headers: Headers) -> bool:
        return self._console is not None and self._console.accept(f"Bearer {headers.get(CONSOLE_HEADER, '')}")

    async def _of_key(self, key: str) -> tuple[Identity | None, str]:
        """The key's owner, and its digest."""
        digest = key_digest(key)
        if self._platform and self._platform.accept(f"Bearer {key}"):
            return PLATFORM, digest
        return self._owner((await self._place.snapshot()).objects, key_namespace(key), digest), digest

    async def _of_session(self, secret: str) -> Identity | None:
        session = await self._sessions.find(secret)
        if session is None:
            return None
        objects = (await self._place.snapshot()).objects
        if session.key_digest:
            return self._of_keys_session(session, objects)
        names = (None, *(tenant.name for tenant in objects.tenants))
        return session.identity if session.identity.tenant in names else None

    def _of_keys_session(self, session: Session, objects: Objects) -> Identity | None:
        """Sessions end with their key, and change with it."""
        tenant = session.identity.tenant
        if tenant is None:
            is_current = self._platform is not None and session.key_digest in self._platform.digests
            return PLATFORM if is_current else None
        namespace = next((each.spec.namespace for each in objects.tenants if each.name == tenant), None)
        return self._owner(objects, namespace, session.key_digest)

    def _owner(self, objects: Objects, namespace: str | None, digest: str) -> Identity | None:
        keys = (key for key in objects.api_keys if (key.namespace, key.spec.sha256) == (namespace, digest))
        key = next((key for key in keys if _is_in_force(key)), None)
        tenant = owners(objects.tenants).get(namespace or "")
        return of_key(tenant, key) if key and tenant else None


def _is_in_force(key: APIKey) -> bool:
    verdict = find(key.status.conditions, ACCEPTED)
    return verdict is not None and verdict.holds and not key.spec.expired(datetime.now(UTC))


def bearer(headers: Headers) -> str:
    """Raises UnauthorizedError."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise UnauthorizedError("The request has no key: send Authorization: Bearer KEY.")
    return secret
