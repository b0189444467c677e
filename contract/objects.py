"""All objects at one moment, by kind, and the parsing of an object from plain data."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from contract.adapter import Adapter
from contract.api_key import APIKey
from contract.base_model import BaseModel
from contract.evaluation import Evaluation
from contract.fine_tune import FineTune
from contract.knowledge_base import KnowledgeBase
from contract.names import API_VERSION
from contract.tenant import Tenant
from contract.value import Value

AnyObject = BaseModel | Tenant | Adapter | KnowledgeBase | FineTune | Evaluation | APIKey
KINDS: tuple[type[AnyObject], ...] = (BaseModel, Tenant, Adapter, KnowledgeBase, FineTune, Evaluation, APIKey)
NAMES = frozenset(kind.__name__ for kind in KINDS)

_adapter: TypeAdapter[AnyObject] = TypeAdapter(Annotated[AnyObject, Field(discriminator="kind")])


class InvalidObjectError(ValueError):
    """The data is not a valid object; the message names the field and the reason."""


def parse_object(data: object) -> AnyObject:
    """One object from plain data. Raises InvalidObjectError."""
    if not isinstance(data, Mapping):
        raise InvalidObjectError(f"expected an object with apiVersion, kind, metadata and spec, found {_kind_of(data)}")
    if data.get("apiVersion") != API_VERSION:
        raise InvalidObjectError(f"apiVersion is {_shown(data.get('apiVersion'))}; write {API_VERSION}")
    if not isinstance(data.get("kind"), str):
        raise InvalidObjectError(f"kind: found {_kind_of(data.get('kind'))}; write one of {', '.join(sorted(NAMES))}")
    try:
        item = _adapter.validate_python(data)
    except ValidationError as error:
        raise InvalidObjectError(facts(error)) from error
    _check_scope(item)
    _check_text(item)
    return item


def parse_stored(data: Mapping[str, Any]) -> AnyObject:
    """One object as stored by an API server, without the server's own fields. Raises InvalidObjectError."""
    metadata = {key: data["metadata"][key] for key in ("name", "namespace", "generation") if key in data["metadata"]}
    kept = {key: data[key] for key in ("apiVersion", "kind", "spec", "status") if key in data}
    return parse_object({**kept, "metadata": metadata})


def _kind_of(data: object) -> str:
    return "nothing" if data is None else f"a {type(data).__name__}"


def _shown(data: object) -> str:
    """The first 100 characters of a text; of any other value only its type, because its content may be huge."""
    return repr(data[:100]) if isinstance(data, str) else _kind_of(data)


def facts(error: ValidationError) -> str:
    """The first five invalid fields with the reasons, without their values."""
    return "; ".join(_fact(item["loc"], item["msg"]) for item in error.errors(include_url=False)[:5])


def _fact(location: tuple[int | str, ...], message: str) -> str:
    path = ".".join(str(part) for part in location if part not in NAMES)
    text = {"Extra inputs are not permitted": "is not a field of this kind", "Field required": "is missing"}
    return f"{path or 'kind'}: {text.get(message, message)}"


def _check_scope(item: AnyObject) -> None:
    namespaced = item.definition.namespaced
    if not namespaced and item.metadata.namespace:
        raise InvalidObjectError(f"metadata.namespace: a {item.kind} belongs to no namespace; remove it")
    if namespaced and not item.metadata.namespace:
        raise InvalidObjectError(f"metadata.namespace: is missing; a {item.kind} lives in its tenant's namespace")


def _check_text(item: AnyObject) -> None:
    """Refuses strings of YAML without a form in JSON snapshots or process arguments."""
    try:
        text = item.model_dump_json()
    except ValueError as error:
        raise InvalidObjectError("a text holds half of a surrogate pair; write the character itself") from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise InvalidObjectError("a text holds a NUL character; remove it")


class Objects(Value):
    """Every object, sorted by namespace and name within its kind."""

    base_models: tuple[BaseModel, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    knowledge_bases: tuple[KnowledgeBase, ...] = ()
    fine_tunes: tuple[FineTune, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    api_keys: tuple[APIKey, ...] = ()

    @property
    def all(self) -> tuple[AnyObject, ...]:
        of_tenants: tuple[AnyObject, ...] = (
            *self.adapters,
            *self.knowledge_bases,
            *self.fine_tunes,
            *self.evaluations,
            *self.api_keys,
        )
        return (*self.base_models, *self.tenants, *of_tenants)


def collect(items: Iterable[AnyObject]) -> Objects:
    ordered = sorted(items, key=lambda item: (item.namespace, item.name))
    return Objects(
        base_models=tuple(i for i in ordered if isinstance(i, BaseModel)),
        tenants=tuple(i for i in ordered if isinstance(i, Tenant)),
        adapters=tuple(i for i in ordered if isinstance(i, Adapter)),
        knowledge_bases=tuple(i for i in ordered if isinstance(i, KnowledgeBase)),
        fine_tunes=tuple(i for i in ordered if isinstance(i, FineTune)),
        evaluations=tuple(i for i in ordered if isinstance(i, Evaluation)),
        api_keys=tuple(i for i in ordered if isinstance(i, APIKey)),
    )


def to_data(item: AnyObject) -> dict[str, Any]:
    return item.model_dump(mode="json", by_alias=True, exclude_none=True)
