"""Objects for tests, each valid as it stands; a test changes the one field that it is about."""

from typing import Any

from contract.names import API_VERSION
from contract.objects import AnyObject, Objects, collect, parse_object


def make(kind: str, name: str, spec: dict[str, Any], namespace: str | None = None) -> AnyObject:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return parse_object({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec})


def base_model(name: str = "base", **spec: Any) -> AnyObject:
    return make("BaseModel", name, {"source": "org/base", "tenants": ["acme", "globex"], **spec})


def tenant(name: str = "acme", **spec: Any) -> AnyObject:
    return make("Tenant", name, {"namespace": name, **spec})


def adapter(name: str = "support", namespace: str = "acme", **spec: Any) -> AnyObject:
    return make("Adapter", name, {"baseModel": "base", "source": "/adapters/v1", **spec}, namespace)


def prompt_adapter(name: str = "desk", namespace: str = "acme", **spec: Any) -> AnyObject:
    return make("Adapter", name, {"baseModel": "base", "prompt": {"system": "Be kind."}, **spec}, namespace)


def knowledge_base(name: str = "handbook", namespace: str = "acme", **spec: Any) -> AnyObject:
    return make("KnowledgeBase", name, {"sources": [{"path": "/documents"}], **spec}, namespace)


def fine_tune(name: str = "style", namespace: str = "acme", **spec: Any) -> AnyObject:
    return make("FineTune", name, {"baseModel": "base", "data": {"source": "/style.jsonl"}, **spec}, namespace)


def evaluation(name: str = "compared", namespace: str = "acme", **spec: Any) -> AnyObject:
    variants = [{"name": "base", "model": "base"}, {"name": "short", "model": "base", "system": "Be short."}]
    given = {"questions": {"source": "/questions.jsonl"}, "variants": variants, **spec}
    return make("Evaluation", name, given, namespace)


def api_key(name: str = "tour", namespace: str = "acme", **spec: Any) -> AnyObject:
    return make("APIKey", name, {"sha256": "0" * 64, **spec}, namespace)


def two_tenants(*more: AnyObject) -> Objects:
    return collect((base_model(), tenant("acme"), tenant("globex"), *more))
