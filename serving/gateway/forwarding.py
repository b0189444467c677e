"""The path of one request: caller → model → limits → answer → accounting."""

import time
from collections.abc import Callable

from contract.prompt import Prompt
from serving.gateway import sse
from serving.gateway.accounts import Accounts, RequestRecord
from serving.gateway.admission import LIMIT_HEADER, estimated_tokens
from serving.gateway.answering import Answering
from serving.gateway.authentication import INFERENCE, Authentication, permitted
from serving.gateway.base_uses import BaseUses
from serving.gateway.body import parsed
from serving.gateway.catalog import Base, Catalog, Principal, Target
from serving.gateway.errors import MODEL_NOT_READY, ApiError, Unavailable, model_not_found, model_refused, unavailable
from serving.gateway.in_flight import InFlight
from serving.gateway.metrics import OTHER, Metrics
from serving.gateway.prompting import length
from serving.gateway.quotas import Quotas
from serving.gateway.raw_request import CallerGone, RawRequest
from serving.gateway.request_context import RequestContext
from serving.gateway.requests import capabilities
from serving.gateway.schemas import AnyRequest, ChatRequest, parse

# nginx's status for a caller leaving before its answer.
CALLER_GONE = 499

_DEFAULT_COMPLETION_TOKENS = 256


class Forwarder:
    """`versions` counts the running requests of each adapter version, `base_uses` says when base models were used."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        authentication: Authentication,
        answering: Answering,
        *,
        accounts: Accounts,
        metrics: Metrics,
        quotas: Quotas,
        max_body_bytes: int,
        body_timeout_s: float,
    ) -> None:
        self._catalog = catalog
        self._authentication = authentication
        self._answering = answering
        self._accounts = accounts
        self._metrics = metrics
        self._quotas = quotas
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self.versions = InFlight()
        self.base_uses = BaseUses()

    async def serve(self, raw: RawRequest, kind: type[AnyRequest]) -> None:
        record = RequestRecord(started=time.monotonic())
        try:
            await self._serve(record, raw, kind)
        except CallerGone:
            raw.status, record.caller_left = CALLER_GONE, True
        except ApiError as error:
            if LIMIT_HEADER not in raw.headers:
                raw.headers |= self.limits(record.tenant)
            record.not_ready = error.code == MODEL_NOT_READY
            await _send_error(raw, error)
        except BaseException:
            record.failed = record.no_engine = True  # of the gateway itself, or it stops
            raise
        finally:
            self._accounts.close(record, raw.status or 500)  # no response was sent: the app logs the failure

    async def _serve(self, record: RequestRecord, raw: RawRequest, kind: type[AnyRequest]) -> None:
        """Counts the request against its limits before reading the body: a refused body costs as much to read."""
        catalog, principal = self._catalog(), self._authentication.principal(raw.all_headers("authorization"))
        record.tenant = principal.tenant
        permitted(principal, INFERENCE)
        raw.headers |= self._quotas.admit(catalog.tenants[record.tenant])
        try:
            received = await raw.body(self._max_body_bytes, self._body_timeout_s)
            request = await parsed(received, lambda body: parse(body, kind))
            if self._catalog() is not catalog:  # a key may have been removed while the body was on its way
                principal = self._authentication.principal(raw.all_headers("authorization"))
            await self._route(record, raw, request, principal)
        except Unavailable:
            self._refund(record, raw)
            raise
        except CallerGone:
            record.abandoned = True
            raise
        finally:
            self._settle(record)

    async def _route(self, record: RequestRecord, raw: RawRequest, request: AnyRequest, principal: Principal) -> None:
        # There is no await between the choice of a version and its count: a chosen version is always counted.
        target = self._resolve(principal, request.model, raw.unique_id)
        record.model, record.target, record.asked_stream = target.name, target, request.stream
        base = self._catalog().bases[target.base_model]
        capabilities.check(request, base)
        in_flight = self._metrics.in_flight.labels(self._metrics.tenant(record.tenant))
        with (
            self.versions.hold(target.engine_name or ""),
            self.base_uses.hold(target.base_model),
            in_flight.one_more(),
        ):
            self._reserve(record, raw, request, base, target.prompt)
            tokens_in_flight = self._metrics.tokens_in_flight.labels(target.base_model)
            tokens_in_flight.inc(record.reserved)
            try:
                await raw.run_until_caller_leaves(
                    self._answering.answer(RequestContext(record, raw, request, target, base))
                )
            finally:
                tokens_in_flight.dec(record.reserved)

    def limits(self, name: str) -> dict[str, str]:
        """The rate-limit headers for a request refused before its tenant's limits were applied."""
        tenant = None if name == OTHER else self._catalog().tenants.get(name)
        return self._quotas.headers(tenant) if tenant else {}

    def _settle(self, record: RequestRecord) -> None:
        if record.refunded:
            return
        used = record.tokens.prompt + record.tokens.completion
        if not used and record.sent is not None and (record.streamed or record.abandoned):
            used = record.reserved  # the caller left before the usage was known: charge the estimate
        self._quotas.settle(record.tenant, reserved=record.reserved, used=used)

    def _refund(self, record: RequestRecord, raw: RawRequest) -> None:
        """Our own failures are charged to no limit, unless a part was answered."""
        if not raw.started:
            record.refunded = True
            self._quotas.refund(record.tenant, reserved=record.reserved)
            raw.headers |= self.limits(record.tenant)

    def _resolve(self, principal: Principal, model: str, request_id: str) -> Target:
        target = self._catalog().resolve(principal, model, request_id)
        if target is None:
            raise model_not_found(model)
        if target.refused:
            raise model_refused(model)
        if target.engine_name is None:
            raise unavailable(f"The model `{model}` is not ready yet", MODEL_NOT_READY)
        return target

    def _reserve(
        self, record: RequestRecord, raw: RawRequest, request: AnyRequest, base: Base, prompt: Prompt | None
    ) -> None:
        """Reserves the estimated tokens. An answer is at most as long as the model's context."""
        asked = request.text_length + (length(prompt) if isinstance(request, ChatRequest) else 0)
        completion = min(request.completion_limit or _DEFAULT_COMPLETION_TOKENS, base.max_model_length)
        tokens = estimated_tokens(asked) + completion * request.answers
        raw.headers |= self._quotas.reserve(record.tenant, tokens)
        record.reserved = tokens


async def _send_error(raw: RawRequest, error: ApiError) -> None:
    """As a response if there is none yet, else as the stream's last event: never silence."""
    if not raw.started:
        await raw.fail(error)
        return
    await raw.write(sse.event(error.body()), more=False)
