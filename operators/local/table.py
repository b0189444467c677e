"""Plain tables for a terminal (pure)."""

from collections.abc import Sequence

from contract.adapter import Adapter, AdapterStatus, short
from contract.api_key import APIKey
from contract.base_model import BaseModel
from contract.conditions import READY, decisive, holds
from contract.evaluation import Evaluation
from contract.fine_tune import FineTune
from contract.knowledge_base import KnowledgeBase
from contract.objects import AnyObject
from contract.tenant import Tenant
from operators.check import Check
from service.logs import printable


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, except the last. Tenants' texts cannot break lines or move the cursor."""
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (header, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def of_objects(items: Sequence[AnyObject]) -> str:
    return table(("KIND", "NAMESPACE", "NAME", "READY", "FACT", "MESSAGE"), [_row(item) for item in items])


def of_documents(items: Sequence[KnowledgeBase]) -> str:
    rows = [
        (base.namespace, base.name, document.path, document.state, str(document.chunks), document.message)
        for base in items
        for document in base.status.documents
    ]
    return table(("NAMESPACE", "KNOWLEDGE BASE", "DOCUMENT", "STATE", "CHUNKS", "MESSAGE"), rows)


def of_history(status: AdapterStatus) -> str:
    """Newest first. NOW marks the active version, the canary, and versions kept for a rollback."""
    now = {version.digest: "kept" for version in status.previous}
    now |= {version.digest: word for word, version in (("canary", status.canary), ("active", status.active)) if version}
    # A version has one row for each release; only the newest row shows its current state.
    rows = [
        (e.at, e.event, short(e.digest or "-"), now.pop(e.digest or "", "-"), e.source, e.message)
        for e in status.history
    ]
    return table(("AT", "EVENT", "VERSION", "NOW", "SOURCE", "MESSAGE"), rows)


def of_checks(checks: Sequence[Check]) -> str:
    rows = [(c.what, "ok" if c.holds else "missing", c.fact, "" if c.holds else c.remedy) for c in checks]
    return table(("WHAT", "STATE", "FACT", "REMEDY"), rows)


def _row(item: AnyObject) -> tuple[str, ...]:
    condition = decisive(item.status.conditions)
    ready = holds(item.status.conditions, READY)
    message = f"{condition.reason}: {condition.message}" if condition and condition.message else ""
    return (item.kind, item.namespace or "-", item.name, str(ready), _fact(item), message)


def _fact(item: AnyObject) -> str:
    """The most useful column of each kind."""
    match item:
        case BaseModel():
            return f"{sum(e.ready for e in item.status.endpoints)}/{len(item.status.endpoints)} replicas"
        case Adapter():
            return _version(item)
        case KnowledgeBase():
            return f"{item.status.chunks} chunks"
        case FineTune():
            return _training(item)
        case Evaluation():
            return _comparison(item)
        case Tenant():
            return f"{item.status.adapters} adapters"
        case APIKey():
            return item.spec.prefix


def _training(tune: FineTune) -> str:
    training, result = tune.status.training, tune.status.result
    if result and training and result.run == training.run:
        return short(result.digest)
    return f"step {training.step} of {training.steps}" if training and training.steps else "no result"


def _comparison(item: Evaluation) -> str:
    result = item.status.result
    if result and result.run == item.status.run:
        return f"winner {result.winner}" if result.winner else "no winner"
    return f"{item.status.answers} of {item.status.total} answers"


def _version(adapter: Adapter) -> str:
    active, candidate = adapter.status.active, adapter.status.candidate
    if active is None:
        return "no version"
    other = candidate is not None and candidate != active.digest
    return f"{short(active.digest)}, declared {short(candidate)}" if other and candidate else short(active.digest)
