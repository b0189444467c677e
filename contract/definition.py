"""How an API server stores and shows a kind: names, columns, and rules beyond a schema's reach (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """`priority` 1 shows it in `kubectl get -o wide` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True)
class Rule:
    """A rule in CEL, checked before an object is stored; the models check the same for files. `path` is the path of the
    field called `self`, "" for the whole object; `message` gives the remedy."""

    path: str
    rule: str
    message: str


@dataclass(frozen=True)
class Definition:
    """`scaled` lets `kubectl scale` and autoscalers set `spec.replicas`."""

    plural: str
    short: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    namespaced: bool = True
    scaled: bool = False


NAME_RULE = Rule(
    "",
    "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
    "metadata.name: choose at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit",
)
