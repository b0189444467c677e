"""helm and kubeconform, compiled once, and what the chart renders to."""

import subprocess
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from tests.api_server.binaries import Go, built

CHART = Path(__file__).parents[2] / "charts/quiver"
PROFILES = tuple(sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml")))
# The oldest and the newest that the chart is for.
KUBERNETES = ("1.30.0", "1.34.4")
# As a cluster with the Prometheus Operator has them.
MONITORING = tuple(f"--api-versions=monitoring.coreos.com/v1/{kind}" for kind in ("PodMonitor", "PrometheusRule"))

Manifest = dict[str, Any]

_MODULES = {
    "adapter": ("sigs.k8s.io/prometheus-adapter", "0.12.0", "sigs.k8s.io/prometheus-adapter/cmd/adapter"),
    "helm": ("helm.sh/helm/v3", "3.22.0", "helm.sh/helm/v3/cmd/helm"),
    "kubeconform": ("github.com/yannh/kubeconform", "0.8.0", "github.com/yannh/kubeconform/cmd/kubeconform"),
}


def program(name: str) -> Path:
    """Skips the test where it cannot be compiled."""
    module, version, package = _MODULES[name]
    return built(f"{name}-{version}", partial(_compile, module, version, package)) / name


def _compile(module: str, version: str, package: str, go: Go, work: Path) -> None:
    (work / "go.mod").write_text(f"module tools\ngo 1.25.0\nrequire {module} v{version}\n")
    (work / "tools.go").write_text(f'//go:build tools\n\npackage tools\n\nimport _ "{package}"\n')
    go("mod", "tidy", "-e")
    go("build", "-trimpath", "-ldflags", "-s -w", "-o", f"{work}/bin/", package)


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program("helm"), *arguments], capture_output=True, text=True, check=False)


@cache
def rendered(profile: str, *settings: str, kubernetes: str = KUBERNETES[1]) -> tuple[Manifest, ...]:
    """Raises RuntimeError with what helm complains of."""
    values = ("--values", str(CHART / f"ci/{profile}-values.yaml"))
    done = helm("template", "quiver", str(CHART), "--namespace", "quiver", "--kube-version", kubernetes, *values,
                *MONITORING, *(word for setting in settings for word in ("--set", setting)))  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return tuple(item for item in yaml.safe_load_all(done.stdout) if item)


def of_kind(profile: str, kind: str, *settings: str) -> dict[str, Manifest]:
    return {item["metadata"]["name"]: item for item in rendered(profile, *settings) if item["kind"] == kind}


def pods(profile: str) -> dict[str, Manifest]:
    """Every pod's specification, by what makes it."""
    found = {name: item["spec"]["template"] for name, item in of_kind(profile, "Deployment").items()}
    return found | of_kind(profile, "Pod")
