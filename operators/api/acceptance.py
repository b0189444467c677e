"""Which objects count, and why the others do not (pure).

The operator writes the verdicts into status; the gateway reaches the same ones from the same objects,
so that an object is never served while its refusal is still on its way.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from operators.api import conditions as c
from operators.api.adapter import Adapter
from operators.api.api_key import APIKey
from operators.api.conditions import Condition, condition
from operators.api.knowledge_base import KnowledgeBase
from operators.api.objects import AnyObject, Objects
from operators.api.resource import Key
from operators.api.tenant import Tenant

Verdicts = Mapping[Key, Condition]


def owners(tenants: tuple[Tenant, ...]) -> dict[str, str]:
    """Namespace → tenant. Of two claims on one namespace the first by name holds."""
    found: dict[str, str] = {}
    for tenant in tenants:
        found.setdefault(tenant.spec.namespace, tenant.name)
    return found


def accept(objects: Objects, now: datetime) -> Verdicts:
    """The Accepted condition of every object."""
    rules = _Rules(objects, now)
    return {item.key: rules.verdict(item) for item in objects.all}


def accepted(verdicts: Verdicts, item: AnyObject) -> bool:
    return verdicts[item.key].holds


def _refused(reason: str, message: str) -> Condition:
    return condition(c.ACCEPTED, False, reason, message)


class _Rules:
    """The other objects that a verdict depends on, looked up once."""

    def __init__(self, objects: Objects, now: datetime) -> None:
        self.now = now
        self.owners = owners(objects.tenants)
        self.base_models = {base.name: base for base in objects.base_models}
        self.tenants = {tenant.name: tenant for tenant in objects.tenants}
        self.knowledge_bases = {(base.namespace, base.name) for base in objects.knowledge_bases}
        self.rank_in_namespace = _ranks(objects.adapters)

    def verdict(self, item: AnyObject) -> Condition:
        checks: tuple[Callable[[], Condition | None], ...] = ()
        match item:
            case Tenant():
                checks = (lambda: self._namespace_taken(item),)
            case Adapter():
                checks = (
                    lambda: self._no_tenant(item),
                    lambda: self._base_model(item),
                    lambda: self._name_taken(item),
                    lambda: self._knowledge_bases(item),
                    lambda: self._too_many(item),
                )
            case KnowledgeBase():
                checks = (lambda: self._no_tenant(item),)
            case APIKey():
                checks = (lambda: self._no_tenant(item), lambda: self._expired(item))
        found = (check() for check in checks)
        return next((refusal for refusal in found if refusal), condition(c.ACCEPTED, True, c.VALID))

    def _namespace_taken(self, tenant: Tenant) -> Condition | None:
        owner = self.owners[tenant.spec.namespace]
        if owner == tenant.name:
            return None
        return _refused(
            c.NAMESPACE_TAKEN, f"namespace {tenant.spec.namespace} belongs to tenant {owner}; choose another one"
        )

    def _no_tenant(self, item: Adapter | KnowledgeBase | APIKey) -> Condition | None:
        if item.namespace in self.owners:
            return None
        return _refused(c.NO_TENANT, f"no Tenant owns namespace {item.namespace}; create one, or move this object")

    def _base_model(self, adapter: Adapter) -> Condition | None:
        name = adapter.spec.base_model
        base = self.base_models.get(name)
        if base is None:
            return _refused(c.BASE_MODEL_MISSING, f"there is no BaseModel {name}; name one that exists")
        if not base.spec.allows(self.owners[adapter.namespace]):
            return _refused(
                c.BASE_MODEL_FORBIDDEN,
                f"BaseModel {name} does not list tenant {self.owners[adapter.namespace]} in spec.tenants",
            )
        return None

    def _name_taken(self, adapter: Adapter) -> Condition | None:
        if adapter.name not in self.base_models:
            return None
        return _refused(c.NAME_TAKEN, f"a BaseModel is called {adapter.name} too; give the adapter another name")

    def _knowledge_bases(self, adapter: Adapter) -> Condition | None:
        wanted = adapter.spec.knowledge_bases
        missing = [name for name in wanted if (adapter.namespace, name) not in self.knowledge_bases]
        if not missing:
            return None
        return _refused(
            c.KNOWLEDGE_BASE_MISSING,
            f"namespace {adapter.namespace} has no KnowledgeBase {', '.join(missing)}; create it, or remove the name",
        )

    def _too_many(self, adapter: Adapter) -> Condition | None:
        limit = self.tenants[self.owners[adapter.namespace]].spec.max_adapters
        if self.rank_in_namespace[adapter.key] < limit:
            return None
        return _refused(c.TOO_MANY_ADAPTERS, f"the tenant may have {limit} adapters; remove one, or raise maxAdapters")

    def _expired(self, key: APIKey) -> Condition | None:
        if not key.spec.expired(self.now):
            return None
        return _refused(c.EXPIRED, f"the key expired at {key.spec.expires_at}; make a new one")


def _ranks(adapters: tuple[Adapter, ...]) -> dict[Key, int]:
    """Each adapter's place within its namespace, so that a cap refuses the same ones every time."""
    seen: dict[str, int] = {}
    ranks: dict[Key, int] = {}
    for adapter in adapters:
        ranks[adapter.key] = seen.setdefault(adapter.namespace, 0)
        seen[adapter.namespace] += 1
    return ranks
