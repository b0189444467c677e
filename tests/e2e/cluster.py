"""A Kubernetes cluster: the one that KUBECONFIG names, or a node of one's own for the length of a run."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

NAMESPACE = "quiver"
LIMIT_S = 300.0

Data = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """`load` brings an OCI archive into the node's images."""

    environment: Mapping[str, str]
    load: Callable[[Path], None]

    def run(self, *command: str, stdin: str = "", check: bool = True) -> str:
        """What it prints. Raises RuntimeError with what it complains of."""
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=dict(self.environment), check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command[:6])}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        return self.run("kubectl", "--namespace", NAMESPACE, *arguments, stdin=stdin, check=check)

    def helm(self, *arguments: str) -> str:
        return self.run("helm", "--namespace", NAMESPACE, *arguments)

    def apply(self, *objects: Data) -> None:
        """Where each says that it lies."""
        arguments = ("apply", "--server-side", "--force-conflicts", "-f", "-")
        self.run("kubectl", *arguments, stdin=yaml.safe_dump_all(objects))

    def get(self, kind: str, name: str, namespace: str = NAMESPACE) -> Data:
        """Empty where there is none."""
        text = self.kubectl("get", kind, name, "--namespace", namespace, "-o", "yaml", "--ignore-not-found")
        found: Data = yaml.safe_load(text) or {}
        return found

    def pods(self, component: str) -> list[Data]:
        """Those that are not leaving."""
        text = self.kubectl("get", "pods", "-l", f"app.kubernetes.io/component={component}", "-o", "yaml")
        return [pod for pod in yaml.safe_load(text)["items"] if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, component: str) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.pods(component) if _condition(pod, "Ready") == "True"]

    def is_ready(self, kind: str, name: str, namespace: str = NAMESPACE) -> bool:
        return _condition(self.get(kind, name, namespace), "Ready") == "True"

    def wait(self, holds: Callable[[], object], what: str, limit_s: float = LIMIT_S) -> None:
        deadline = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {limit_s:.0f} s\n{self.kubectl('get', 'pods', check=False)}")
            time.sleep(0.5)


def _condition(item: Data, kind: str) -> str:
    conditions = item.get("status", {}).get("conditions", ())
    return next((str(c["status"]) for c in conditions if c["type"] == kind), "")


def _load(command: list[str], archive: Path) -> None:
    subprocess.run([*command, str(archive)], check=True)


@contextmanager
def cluster(node: Path) -> Iterator[Cluster]:
    """One that KUBECONFIG names has to be of one node, which sees this checkout at its own path; IMAGE_LOAD is a
    command that brings an OCI archive into it (`kind load image-archive`). Raises RuntimeError where there is none."""
    if "KUBECONFIG" in os.environ:
        yield Cluster(os.environ, partial(_load, os.environ["IMAGE_LOAD"].split()))
        return
    if not node.is_file():
        raise RuntimeError(f"no cluster: set KUBECONFIG and IMAGE_LOAD, or --node to what brings one up, not {node}")
    subprocess.run([node, "up"], check=True, stdout=subprocess.DEVNULL)
    try:
        exported = subprocess.run([node, "env"], check=True, capture_output=True, text=True).stdout
        pairs = dict(word.split("=", 1) for word in exported.removeprefix("export ").split())
        path = pairs["PATH"].replace("$PATH", os.environ["PATH"])
        yield Cluster(
            {**os.environ, "KUBECONFIG": pairs["KUBECONFIG"], "PATH": path},
            partial(_load, [str(node), "load"]),
        )
    finally:
        subprocess.run([node, "down"], check=False, stdout=subprocess.DEVNULL)
