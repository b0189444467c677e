"""Callers in a pod of their own, and what they were told while something happened."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.cluster import NAMESPACE, Cluster, Data
from tests.e2e.console import DONE
from tests.e2e.demo import CLAIM, ENGINE
from tests.e2e.images import REPOSITORY, TAG

POD = "e2e-caller"
URL = "http://quiver-gateway/v1"
# A phase counts once each tenant has had so many answers after what was done.
ENOUGH = 6
CONSOLE = ("python3", "-m", "tests.e2e.console")
QUESTIONS = ("python3", "-m", "tests.e2e.questions")
# In a pod that may reach the store.
STORED = """
import os
from retrieval.store import Store
store = Store(os.environ["QUIVER_RETRIEVAL_MILVUS_URI"], dimension=384)
print(*store.tenants())
"""


# One request, from the callers' pod.
ASK = """
import json, os, sys, urllib.request
tenant, model, seconds = sys.argv[1:]
headers = {"content-type": "application/json", "authorization": "Bearer " + json.loads(os.environ["KEYS"])[tenant]}
body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
request = urllib.request.Request(os.environ["URL"] + "/chat/completions", json.dumps(body).encode(), headers)
print(json.load(urllib.request.urlopen(request, timeout=int(seconds)))["choices"][0]["message"]["content"])
"""


@dataclass(frozen=True)
class Told:
    answers: int
    failures: tuple[str, ...]


@dataclass
class Traffic:
    cluster: Cluster
    keys: dict[str, str]
    seen: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Traffic"]:
        self.cluster.apply(_pod(self.keys))
        self.cluster.wait(self.read, "the first answer or failure")
        yield self
        self.cluster.kubectl("delete", "pod", POD, "--grace-period=30")

    def during(self, action: Callable[[], object]) -> Told:
        """What was told from when the action began until there were answers after it."""
        self.read()
        begun = len(self.seen)
        action()
        self.read()
        done = len(self.seen)
        self.cluster.wait(lambda: self._has_enough(done), "answers after it")
        told = self.seen[begun:]
        return Told(len([e for e in told if "text" in e]), tuple(e["failure"] for e in told if "failure" in e))

    def failures(self, since: int) -> int:
        return sum("failure" in e for e in self.read()[since:])

    def answered_by(self, tenant: str, marker: str, *, since: int) -> int:
        self.read()
        return sum(e["tenant"] == tenant and marker in e.get("text", "") for e in self.seen[since:])

    def ask(self, tenant: str, model: str, *, limit_s: int) -> str:
        """The answer. Raises RuntimeError without one."""
        return self.cluster.kubectl("exec", POD, "--", "python3", "-c", ASK, tenant, model, str(limit_s)).strip()

    def questions(self) -> list[str]:
        """What was not as it should be."""
        return self.cluster.kubectl("exec", POD, "--", *QUESTIONS).splitlines()[:-1]

    def console(self) -> list[str]:
        """What at the console was not as it should be."""
        lines = self.cluster.kubectl("exec", POD, "--", *CONSOLE).splitlines()
        return lines[:-1] if lines[-1:] == [DONE] else [*lines, "the trial of the console broke off"]

    def documents_answer(self) -> bool:
        """Whether every question about documents is answered as it should be."""
        text = self.cluster.kubectl("exec", POD, "--", *QUESTIONS, check=False)
        return '"questions"' in text and "citing" not in text

    def stored(self) -> set[str]:
        """The tenants of whom the store holds something."""
        return set(self.cluster.kubectl("exec", "deploy/quiver-retrieval", "--", "python", "-c", STORED).split())

    def _has_enough(self, since: int) -> bool:
        told = [e for e in self.read()[since:] if "text" in e]
        return all(sum(e["tenant"] == tenant for e in told) >= ENOUGH for tenant in self.keys)

    def read(self) -> list[dict[str, Any]]:
        """All that callers were told so far, the oldest first."""
        lines = self.cluster.kubectl("logs", POD, check=False).splitlines()
        self.seen = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return self.seen


def _pod(keys: dict[str, str]) -> Data:
    path = f"{ENGINE}:{ENGINE}/.venv/lib/python3.11/site-packages"
    environment = {"URL": URL, "KEYS": json.dumps(keys), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": NAMESPACE},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "caller",
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "image": f"{REPOSITORY}/engine-runtime:{TAG}",
                    "command": ["python3", "-m", "tests.e2e.caller"],
                    "workingDir": "/tmp",
                    "env": [{"name": name, "value": value} for name, value in environment.items()],
                    "volumeMounts": [{"name": "checkout", "mountPath": ENGINE, "readOnly": True}],
                }
            ],
            "volumes": [{"name": "checkout", "persistentVolumeClaim": {"claimName": CLAIM, "readOnly": True}}],
        },
    }
