"""T9: six made tenants, each measured by a full grid of what could serve it.

The advice sees a quarter of the questions, 24 at least, and the tenant's facts. The grid sees all questions: it
supports the variant with the fewest parts within a few points of the best, among those that the tenant's needs allow.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.tuning import facts, made_tenants
from benchmarks.tuning.made_tenants import ABSTENTIONS, Made
from benchmarks.tuning.trained import train
from examples.demo.platform import QUIVER, Platform, running
from tuning.advice import reading
from tuning.advice.advice import advised
from tuning.advice.facts import DOCUMENTS, Fact, Facts

ALIKE = 0.03  # points of the score
_PART, _LEAST = 4, 24  # the advice sees one question in four, and so many at least


def agreeing(root: Path, count: int) -> tuple[int, Sequence[str]]:
    """The number of tenants with the right advice, and a line for each tenant. `root` must not exist."""
    tenants = made_tenants.made(count)
    facts.copied_objects(root)
    for tenant in tenants:
        if tenant.documents:
            facts.write_documents(root, tenant.name, tenant.documents)
        if tenant.rows:
            _teach(root, tenant)
    with running(root, tenants=(facts.TENANT,), out=sys.stderr) as platform:
        platform.wait_until_ready()
        results = [_compared(platform, root, tenant) for tenant in tenants]
    agrees = [advice == supported for advice, supported, _ in results]
    return sum(agrees), [line for *_, line in results]


def _teach(root: Path, tenant: Made) -> None:
    folder = root / "taught" / tenant.name
    folder.mkdir(parents=True)
    data = folder / "rows.jsonl"
    _write(data, tenant.rows)
    trained = train(data, folder / "adapter", **tenant.recipe)
    facts.apply(root, "Adapter", tenant.name, {"baseModel": "quiver-demo", "source": str(trained.folder)})


def _compared(platform: Platform, root: Path, tenant: Made) -> tuple[frozenset[str], frozenset[str], str]:
    """The parts that the advice names, those that the grid supports, and both in words."""
    whole = _evaluated(platform, root / tenant.name / "whole", tenant, tenant.questions)
    part = _evaluated(platform, root / tenant.name / "part", tenant, tenant.questions[:: _step(tenant)])
    advice = advised(_facts(part, tenant)).parts
    supported = _supported(whole, tenant)
    means = json.loads(whole.read_text())["comparison"]["means"]
    line = f"{tenant.name}: advised {_named(advice)}, supported {_named(supported)}; " + ", ".join(
        f"{name} {mean:.2f}" for name, mean in means.items()
    )
    return advice, supported, line


def _step(tenant: Made) -> int:
    return max(1, min(_PART, len(tenant.questions) // _LEAST))


def _evaluated(platform: Platform, folder: Path, tenant: Made, questions: Sequence[Mapping[str, Any]]) -> Path:
    """The result of `quiver evaluate`."""
    folder.mkdir(parents=True)
    _write(folder / "questions.jsonl", questions)
    plan = {"questions": "questions.jsonl", "metric": tenant.metric, "variants": list(tenant.variants),
            "abstentions": list(ABSTENTIONS), "max_tokens": 48}  # fmt: skip
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    words = ["evaluate", str(folder / "plan.yaml"), "--out", str(folder / "out"), "--url",
             platform.url.removesuffix("/v1"), "--key", platform.keys[facts.TENANT]]  # fmt: skip
    subprocess.run([QUIVER, *words], check=True, stdout=sys.stderr)
    return folder / "out" / "result.json"


def _facts(result: Path, tenant: Made) -> Facts:
    return Facts(
        documents=Fact(len(tenant.documents), tenant.name) if tenant.documents else None,
        changed_weekly=Fact(tenant.changed, tenant.name) if tenant.documents else None,
        rows=Fact(len(tenant.rows), tenant.name) if tenant.rows else None,
        must_explain=Fact(tenant.must_explain, tenant.name),
        measured=reading.measured(result),
    )


def _supported(result: Path, tenant: Made) -> frozenset[str]:
    measured = reading.measured(result).value
    fit = [name for name, parts in measured.parts.items() if DOCUMENTS in parts or not tenant.needs_documents]
    best = max(measured.means[name] for name in fit)
    alike = [name for name in fit if measured.means[name] >= best - ALIKE]
    return measured.parts[min(alike, key=lambda name: len(measured.parts[name]))]


def _named(parts: frozenset[str]) -> str:
    return " and ".join(sorted(parts)) or "the base model"


def _write(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
