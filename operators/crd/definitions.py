"""The CustomResourceDefinition of each kind (pure)."""

import inspect
from typing import Any

from contract.adapter_slice import AdapterSlice, AdapterSliceSpec
from contract.definition import Column, Definition, Rule
from contract.names import GROUP, VERSION
from contract.objects import KINDS, AnyObject
from operators.crd.schema import Schema, structural

_READY = ".status.conditions[?(@.type=='Ready')]"


def definition(kind: type[AnyObject]) -> dict[str, Any]:
    return _definition(kind.__name__, kind.definition, _version(kind, kind.definition))


def slice_definition() -> dict[str, Any]:
    """It has no status: nobody asks for it, and nobody waits for it."""
    declared = AdapterSlice.definition
    age = Column("Age", ".metadata.creationTimestamp", "date")
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in (*declared.columns, age)],
        "schema": {"openAPIV3Schema": _object(AdapterSlice, spec=structural(AdapterSliceSpec, defaults=False))},
    }
    return _definition(AdapterSlice.__name__, declared, version)


def _definition(name: str, declared: Definition, version: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{declared.plural}.{GROUP}", "annotations": {"helm.sh/resource-policy": "keep"}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if declared.namespaced else "Cluster",
            "names": {
                "kind": name,
                "listKind": f"{name}List",
                "plural": declared.plural,
                "singular": name.lower(),
                "shortNames": [declared.short],
                "categories": ["quiver"],
            },
            "versions": [version],
        },
    }


def _version(kind: type[AnyObject], declared: Definition) -> dict[str, Any]:
    subresources: dict[str, Any] = {"status": {}}
    if declared.scaled:
        subresources["scale"] = {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        }
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": subresources,
        "additionalPrinterColumns": [_column(column) for column in _columns(declared)],
        "schema": {"openAPIV3Schema": _schema(kind)},
    }


def _columns(declared: Definition) -> tuple[Column, ...]:
    why = (Column("Reason", f"{_READY}.reason"), Column("Message", f"{_READY}.message", priority=1))
    return (
        Column("Ready", f"{_READY}.status"),
        *declared.columns,
        *why,
        Column("Age", ".metadata.creationTimestamp", "date"),
    )


def _column(column: Column) -> dict[str, Any]:
    definition = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**definition, "priority": column.priority} if column.priority else definition


def _schema(kind: type[AnyObject]) -> Schema:
    spec = structural(kind.model_fields["spec"].annotation, defaults=True)  # type: ignore[arg-type]  # never None
    status = structural(kind.model_fields["status"].annotation, defaults=False)  # type: ignore[arg-type]
    status["properties"]["conditions"] |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    schema = _object(kind, spec=spec, status=status)
    for rule in kind.definition.rules:
        _add(schema, rule)
    return schema


def _object(kind: type[Any], **parts: Schema) -> Schema:
    return {
        "type": "object",
        "description": " ".join((inspect.getmodule(kind).__doc__ or "").split()),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            **parts,
        },
    }


def _add(schema: Schema, rule: Rule) -> None:
    target = schema
    for part in rule.path.split(".") if rule.path else ():
        target = target["properties"][part]
    validation = {"rule": rule.rule, "message": rule.message}
    target.setdefault("x-kubernetes-validations", []).append(validation)


def definitions() -> dict[str, dict[str, Any]]:
    """All definitions, by the plural name of their kind."""
    ours = {kind.definition.plural: definition(kind) for kind in KINDS}
    return ours | {AdapterSlice.definition.plural: slice_definition()}
