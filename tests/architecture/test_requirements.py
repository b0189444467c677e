"""An image has every package that its part imports."""

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from grimp import ImportGraph

ROOT = Path(__file__).parents[2]
OURS = ("serving", "operators", "retrieval", "service", "contract", "kube", "console", "tuning")
# What each image runs, by the lock of its packages.
PARTS = {
    "gateway": ("serving.gateway.__main__",),
    "agent": ("serving.agent.__main__", "serving.agent.fetch", "tuning.clear"),
    "drift": ("serving.drift.__main__",),
    "ingest": ("retrieval.__main__", "retrieval.ingest.__main__"),
    "operator": ("operators.__main__",),
    "management": ("operators.management.__main__",),
    "console": ("console.__main__",),
}
# Imported where a setting asks for it: in the image operator-kserve.
ON_DEMAND = {"operator": {"kserve", "huggingface_hub"}}  # the latter by a job, in the engine's image


@pytest.fixture(scope="module")
def graph() -> ImportGraph:
    return grimp.build_graph(*OURS, include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("part", PARTS)
def test_an_image_has_what_its_part_imports(part: str, graph: ImportGraph) -> None:
    locked = {
        re.sub(r"[-_.]+", "-", name).lower()
        for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", _lock(part), re.MULTILINE)
    }
    distributions = packages_distributions()
    reached = {module for entry in PARTS[part] for module in graph.find_upstream_modules(entry)}
    external = {module for module in reached if graph.is_module_squashed(module)} - ON_DEMAND.get(part, set())
    missing = {
        module
        for module in external
        if module in distributions
        and not any(re.sub(r"[-_.]+", "-", name).lower() in locked for name in distributions[module])
    }
    assert missing == set()


def _lock(part: str) -> str:
    return (ROOT / "requirements" / f"{part}.txt").read_text()
