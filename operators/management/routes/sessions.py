"""`/v1/sessions`: sign in and out, and who one is."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Request
from pydantic import StringConstraints, model_validator

from contract.body import Body, Reply
from operators.management.callers import bearer
from operators.management.changes import Change
from operators.management.errors import ForbiddenError, NotFoundError, TooManyAttemptsError
from operators.management.identity import Identity, Role
from operators.management.service import Calls, Services
from operators.management.sessions import PREFIX
from service.access import request_id
from service.application import refusals, router
from service.errors import ServiceError


class SignIn(Body):
    """A `key`, or an `id_token` of the provider with the `nonce` that the sign-in began with."""

    key: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)] | None = None
    id_token: Annotated[str, StringConstraints(min_length=1, max_length=16_384)] | None = None
    nonce: Annotated[str, StringConstraints(max_length=256)] = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.key is None) == (self.id_token is None):
            raise ValueError("give a key or an id_token, one of them")
        return self


class Who(Reply):
    """`tenant` is null for the platform's people."""

    object: Literal["identity"] = "identity"
    actor: str
    tenant: str | None
    role: Role
    scopes: list[str]

    @classmethod
    def of(cls, identity: Identity) -> Self:
        return cls(actor=identity.actor, tenant=identity.tenant, role=identity.role, scopes=sorted(identity.scopes))


class SessionObject(Reply):
    """`session` is for the Authorization header, in place of a key. It is shown once."""

    object: Literal["session"] = "session"
    session: str
    identity: Who


class SignedOut(Reply):
    object: Literal["session.deleted"] = "session.deleted"
    deleted: Literal[True] = True


async def _signed_in(services: Services, body: SignIn, address: str) -> tuple[str, Identity]:
    if body.id_token is not None:
        return await services.callers.sign_in_by_provider(body.id_token, body.nonce, address)
    return await services.callers.sign_in(body.key or "", address)


def session_routes() -> APIRouter:
    routes = router()

    @routes.post("/v1/sessions", responses=refusals(429))
    async def sign_in(body: SignIn, request: Request, services: Services) -> SessionObject:
        """Exchanges a key, or a sign-in of the provider, for a session of at most a day. Neither is stored."""
        peer = request.client.host if request.client else ""
        address = services.callers.address(request.headers, peer)
        if body.id_token is not None and not services.callers.is_console(request.headers):
            raise ForbiddenError("Sign-ins of the provider begin at the console, which knows the nonce: sign in there.")
        try:
            secret, identity = await _signed_in(services, body, address)
        except ServiceError as error:
            # As many as there were keys, not as there were requests: strangers write no further rows.
            if not isinstance(error, TooManyAttemptsError | NotFoundError):
                await services.changes.add(
                    Change("", "unknown", "session.open", "", error.status, address, request_id.get())
                )
            raise
        await services.changes.add(
            Change(identity.tenant or "", identity.actor, "session.open", "", 200, address, request_id.get())
        )
        return SessionObject(session=secret, identity=Who.of(identity))

    @routes.get("/v1/session")
    async def who(calling: Calls) -> Who:
        return Who.of(calling.identity)

    @routes.delete("/v1/session")
    async def sign_out(calling: Calls, request: Request) -> SignedOut:
        """Ends the session. A key stays valid."""
        secret = bearer(request.headers)
        if secret.startswith(PREFIX):
            async with calling.change("session.close", ""):
                await calling.management.sessions.close(secret)
        return SignedOut()

    return routes
