"""Decides acceptance of objects, with reasons (pure).

The operator writes the verdicts into status. The gateway computes the same verdicts from the same objects, so a refused
object is never served, even before its status is written.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import PurePosixPath
from typing import Protocol, TypeVar

from contract import conditions as c
from contract.adapter import Adapter
from contract.api_key import APIKey
from contract.base_model import BaseModel
from contract.conditions import Condition, condition
from contract.engine_options import devices
from contract.evaluation import MOST_PLAN, Evaluation
from contract.fine_tune import FILE_RULE, FineTune
from contract.knowledge_base import KnowledgeBase
from contract.objects import AnyObject, Objects
from contract.prompt import MOST_PROMPT
from contract.resource import Key
from contract.tenant import Tenant

Verdicts = Mapping[Key, Condition]
T = TypeVar("T")
G = TypeVar("G", bound=Hashable)


class Lookups(Protocol):
    """Look-ups of other objects for a verdict."""

    def owner(self, namespace: str) -> str | None:
        """The tenant of a namespace."""

    def tenant(self, name: str) -> Tenant | None: ...

    def base_model(self, name: str) -> BaseModel | None: ...

    def base_models(self) -> Sequence[BaseModel]: ...

    def has_knowledge_base(self, namespace: str, name: str) -> bool: ...

    def key_holder(self, namespace: str, digest: str) -> Key | None:
        """The APIKey holding a digest in a namespace."""

    def adapters(self, namespace: str) -> Sequence[Adapter]: ...


def owners(tenants: tuple[Tenant, ...]) -> dict[str, str]:
    """Namespace → tenant. A recorded owner keeps its namespace; of new claims the alphabetically first wins."""
    by_namespace: dict[str, str] = {}
    for tenant in sorted(tenants, key=lambda tenant: (tenant.status.namespace != tenant.spec.namespace, tenant.name)):
        by_namespace.setdefault(tenant.spec.namespace, tenant.name)
    return by_namespace


def rules_of(objects: Objects, now: datetime, *, documents: str | None = None) -> "Rules":
    """The rules for verdicts on any of these objects. A verdict may depend on the object's previous condition."""
    return Rules(_Objects(objects), now, documents)


def accepted(verdicts: Verdicts, item: AnyObject) -> bool:
    return verdicts[item.key].holds


_VALID = condition(c.ACCEPTED, True, c.VALID)


def _refused(reason: str, message: str) -> Condition:
    return condition(c.ACCEPTED, False, reason, message)


class Rules:
    """Verdicts on objects, one at a time. If `documents` is a directory, sources of knowledge bases are paths, and each
    tenant's must be in `documents`/`tenant`. `trainings` is the claim with all tenants' trained adapters, each tenant's
    in a folder of its name."""

    def __init__(
        self, lookups: Lookups, now: datetime, documents: str | None = None, trainings: str | None = None
    ) -> None:
        self._lookups = lookups
        self._owner = cache(lookups.owner)  # many objects are of few namespaces
        self._trainings = trainings
        self._now = now
        self._documents = documents
        self._ranks: dict[str, Mapping[str, int]] = {}

    def verdict(self, item: AnyObject) -> Condition:
        checks: tuple[Callable[[], Condition | None], ...] = ()
        valid = _VALID
        match item:
            case BaseModel():
                checks = (lambda: self._served_name_taken(item), lambda: _too_few_gpus(item))
            case Tenant():
                checks = (lambda: self._namespace_taken(item),)
                valid = condition(c.ACCEPTED, True, c.VALID, f"owns namespace {item.spec.namespace}")
            case Adapter():
                checks = (lambda: self._own_refusal(item), lambda: self._over_the_cap(item))
            case KnowledgeBase():
                checks = (lambda: self._no_tenant(item), lambda: self._not_own(item))
            case FineTune():
                checks = (lambda: self._no_tenant(item), lambda: self._base_model_refusal(item),
                          lambda: self._data_not_own(item), lambda: self._rank_too_high(item),
                          lambda: self._start_missing(item))  # fmt: skip
            case Evaluation():
                checks = (
                    lambda: self._no_tenant(item),
                    lambda: self._data_not_own(item),
                    lambda: _unfit_variants(item),
                )
            case APIKey():
                checks = (
                    lambda: self._no_tenant(item),
                    lambda: self._expired(item),
                    lambda: self._digest_taken(item),
                )
        refusals = (check() for check in checks)
        return next((refusal for refusal in refusals if refusal), valid)

    def _served_name_taken(self, base: BaseModel) -> Condition | None:
        """Of two base models with one name, the first by their own names serves it."""
        if not base.spec.served_names:
            return None
        others = [other for other in self._lookups.base_models() if other.name != base.name]
        taken = {other.name: other.name for other in others}
        taken |= {name: other.name for other in others if other.name < base.name for name in other.spec.served_names}
        name = next((name for name in base.spec.served_names if name in taken), None)
        if name is None:
            return None
        return _refused(
            c.NAME_TAKEN, f"BaseModel {taken[name]} serves the name {name}; choose another one in spec.servedNames"
        )

    def _namespace_taken(self, tenant: Tenant) -> Condition | None:
        owner = self._owner(tenant.spec.namespace)
        if owner == tenant.name:
            return None
        whose = f"tenant {owner}" if owner else "the platform"
        return _refused(c.NAMESPACE_TAKEN, f"namespace {tenant.spec.namespace} belongs to {whose}; choose another one")

    def _no_tenant(self, item: Adapter | KnowledgeBase | FineTune | Evaluation | APIKey) -> Condition | None:
        if self._owner(item.namespace):
            return None
        return _refused(c.NO_TENANT, f"no Tenant owns namespace {item.namespace}; create one, or move this object")

    def _base_model_refusal(self, item: Adapter | FineTune) -> Condition | None:
        name = item.spec.base_model
        base, tenant = self._lookups.base_model(name), self._owner(item.namespace) or ""
        if base is None:
            return _refused(c.BASE_MODEL_MISSING, f"there is no BaseModel {name}; name one that exists")
        if not base.spec.allows(tenant):
            message = f"BaseModel {name} does not list tenant {tenant} in spec.tenants"
            return _refused(c.BASE_MODEL_FORBIDDEN, message)
        return None

    def _name_taken(self, adapter: Adapter) -> Condition | None:
        if self._lookups.base_model(adapter.name) is None:
            return None
        return _refused(c.NAME_TAKEN, f"a BaseModel is called {adapter.name} too; give the adapter another name")

    def _knowledge_bases(self, adapter: Adapter) -> Condition | None:
        names = adapter.spec.knowledge_bases
        missing = [name for name in names if not self._lookups.has_knowledge_base(adapter.namespace, name)]
        if not missing:
            return None
        return _refused(
            c.KNOWLEDGE_BASE_MISSING,
            f"namespace {adapter.namespace} has no KnowledgeBase {', '.join(missing)}; create it, or remove the name",
        )

    def _not_own(self, base: KnowledgeBase) -> Condition | None:
        return self._foreign(base, [source.path for source in base.spec.sources])

    def _data_not_own(self, item: FineTune | Evaluation) -> Condition | None:
        data = item.spec.data if isinstance(item, FineTune) else item.spec.questions
        if not data.is_file:
            return _refused(c.SOURCE_NOT_OWN, f"{item.kind} {item.name}: {FILE_RULE[1]}")
        return self._foreign(item, [data.source] if data.source.startswith("/") else [])

    def _foreign(self, item: KnowledgeBase | FineTune | Evaluation, paths: Sequence[str]) -> Condition | None:
        """Refuses paths outside of the tenant's own directory of documents."""
        if self._documents is None:
            return None
        own = PurePosixPath(self._documents, self._owner(item.namespace) or "")
        foreign = [path for path in paths if not _lies_in(PurePosixPath(path), own)]
        if not foreign:
            return None
        return _refused(
            c.SOURCE_NOT_OWN,
            f"{item.kind} {item.name}: {foreign[0]} is not in {own}, where the documents of tenant {own.name} lie; "
            f"move them there",
        )

    def _foreign_training(self, adapter: Adapter) -> Condition | None:
        tenant = self._owner(adapter.namespace)
        claim = f"pvc://{self._trainings}/"
        source = adapter.spec.source or ""
        if not self._trainings or not source.startswith(claim):
            return None
        if source.startswith(f"{claim}{tenant}/") and ".." not in source:
            return None
        message = f"{claim} has other tenants' adapters, too: name your FineTune, as finetune://NAME"
        return _refused(c.SOURCE_NOT_OWN, message)

    def _rank_too_high(self, tune: FineTune) -> Condition | None:
        base, rank = self._lookups.base_model(tune.spec.base_model), tune.spec.hyperparameters.rank
        if base is None or rank <= base.spec.lora.max_rank:
            return None
        most = base.spec.lora.max_rank
        return _refused(
            c.RANK_TOO_HIGH,
            f"engines of {base.name} serve ranks up to {most}: lower hyperparameters.rank, or raise its lora.maxRank",
        )

    def _start_missing(self, tune: FineTune) -> Condition | None:
        start = tune.spec.start
        adapters = self._lookups.adapters(tune.namespace)
        adapter = next((adapter for adapter in adapters if adapter.name == start), None)
        if adapter and adapter.spec.source is None:
            message = f"Adapter {start} is a prompt alone: there is nothing to go on from; leave out spec.start"
            return _refused(c.ADAPTER_MISSING, message)
        if start is None or adapter:
            return None
        message = f"namespace {tune.namespace} has no Adapter {start} to go on from; create it, or leave out spec.start"
        return _refused(c.ADAPTER_MISSING, message)

    def _digest_taken(self, key: APIKey) -> Condition | None:
        if self._lookups.key_holder(key.namespace, key.spec.sha256) == key.key:
            return None
        return _refused(
            c.DIGEST_TAKEN,
            "another APIKey of the namespace has this sha256; create a separate key with `quiver keys create`",
        )

    def _expired(self, key: APIKey) -> Condition | None:
        if not key.spec.expired(self._now):
            return None
        return _refused(c.EXPIRED, f"the key expired at {key.spec.expires_at}; make a new one")

    def _over_the_cap(self, adapter: Adapter) -> Condition | None:
        """Over the limit, running adapters stay, then the alphabetically first."""
        tenant = self._lookups.tenant(self._owner(adapter.namespace) or "")
        if tenant is None or len(self._lookups.adapters(adapter.namespace)) <= tenant.spec.max_adapters:
            return None
        if self._rank(adapter) < tenant.spec.max_adapters:
            return None
        message = f"the tenant may have {tenant.spec.max_adapters} adapters; remove one, or raise maxAdapters"
        return _refused(c.TOO_MANY_ADAPTERS, message)

    def _rank(self, adapter: Adapter) -> int:
        if adapter.namespace not in self._ranks:
            self._ranks[adapter.namespace] = self._ranked(adapter.namespace)
        return self._ranks[adapter.namespace][adapter.name]

    def _ranked(self, namespace: str) -> Mapping[str, int]:
        """An adapter that does not run, and is refused for another reason than the limit, does not count."""
        ranks: dict[str, int] = {}
        taken = 0
        for adapter in sorted(self._lookups.adapters(namespace), key=lambda a: (a.status.active is None, a.name)):
            ranks[adapter.name] = taken
            refusal = self._own_refusal(adapter)
            taken += refusal is None or (adapter.status.active is not None and refusal.reason not in c.REVOKING)
        return ranks

    def _own_refusal(self, adapter: Adapter) -> Condition | None:
        checks = (
            self._no_tenant, self._base_model_refusal, self._name_taken, self._knowledge_bases, self._foreign_training,
            _long_prompt
        )  # fmt: skip
        return next((refusal for check in checks if (refusal := check(adapter))), None)


def _too_few_gpus(base: BaseModel) -> Condition | None:
    """Engines on fewer GPUs than they want never start."""
    gpus, wanted = base.spec.gpus, devices(base.spec.engine_args)
    if gpus is None or gpus >= wanted:
        return None
    return _refused(
        c.TOO_FEW_GPUS,
        f"engineArgs spread an engine over {wanted} GPUs (the product of its parallel sizes), and resources.limits ask "
        f"for {gpus}; raise the limit, or lower the sizes",
    )


def _long_prompt(adapter: Adapter) -> Condition | None:
    prompt = adapter.spec.prompt
    if prompt is None or prompt.size <= MOST_PROMPT:
        return None
    return _refused(c.TOO_LONG, f"spec.prompt has more than {MOST_PROMPT} bytes; shorten it, or give fewer examples")


def _unfit_variants(item: Evaluation) -> Condition | None:
    """Rules beyond those of a definition."""
    variants = item.spec.variants
    if len({variant.model_copy(update={"name": "name"}) for variant in variants}) < len(variants):
        return _refused(c.SAME_VARIANTS, "two variants are the same but for their names; remove one")
    if len(item.spec.model_dump_json().encode()) > MOST_PLAN:
        return _refused(c.TOO_LONG, f"the spec has more than {MOST_PLAN} bytes; shorten prompts and examples")
    return None


def _lies_in(path: PurePosixPath, folder: PurePosixPath) -> bool:
    return path.is_relative_to(folder) and ".." not in path.parts


def key_holder(keys: Iterable[APIKey]) -> APIKey:
    """Of a namespace's keys that share a digest, the one that counts."""
    return min(keys, key=lambda key: (not c.holds(key.status.conditions, c.ACCEPTED), key.name))


class _Objects:
    """Lookups in all objects at once."""

    def __init__(self, objects: Objects) -> None:
        self._owners = owners(objects.tenants)
        self._base_models = {base.name: base for base in objects.base_models}
        self._tenants = {tenant.name: tenant for tenant in objects.tenants}
        self._knowledge_bases = {(base.namespace, base.name) for base in objects.knowledge_bases}
        self._keys = _grouped(objects.api_keys, lambda key: (key.namespace, key.spec.sha256))
        self._adapters = _grouped(objects.adapters, lambda adapter: adapter.namespace)

    def owner(self, namespace: str) -> str | None:
        return self._owners.get(namespace)

    def tenant(self, name: str) -> Tenant | None:
        return self._tenants.get(name)

    def base_model(self, name: str) -> BaseModel | None:
        return self._base_models.get(name)

    def base_models(self) -> Sequence[BaseModel]:
        return tuple(self._base_models.values())

    def has_knowledge_base(self, namespace: str, name: str) -> bool:
        return (namespace, name) in self._knowledge_bases

    def key_holder(self, namespace: str, digest: str) -> Key | None:
        keys = self._keys.get((namespace, digest))
        return key_holder(keys).key if keys else None

    def adapters(self, namespace: str) -> Sequence[Adapter]:
        return self._adapters.get(namespace, ())


def _grouped(items: Iterable[T], key: Callable[[T], G]) -> dict[G, list[T]]:
    groups: dict[G, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
