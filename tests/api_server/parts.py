"""Our parts as processes against a real API server, each ended with the test. The test is scheduler and kubelet."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import yaml

from contract.conditions import ACCEPTED, READY
from contract.names import API_VERSION
from examples.demo.platform import end_with_parent
from operators.desired.engine_workload import BASE_MODEL, COMPONENT, NAME
from operators.local.layout import free_port
from tests.api_server.server import HOST, ApiServer

PLATFORM = "quiver"
TOKEN = "operators-token"
TOKENS = {f"{neighbour}_TOKEN": TOKEN for neighbour in ("AGENT", "GATEWAY", "INGEST", "DRIFT")}
LIMIT_S = 120.0

Data = dict[str, Any]


@contextmanager
def process(module: str, prefix: str, settings: Mapping[str, object], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m module`, told by the environment alone."""
    environment = {f"{prefix}{key}": str(value) for key, value in settings.items()}
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    with log.open("ab") as out:
        started = start(module, {**kept, **environment}, out)
        try:
            yield started
        finally:
            started.kill()
            started.wait()


def start(module: str, environment: Mapping[str, str], out: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", module],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        preexec_fn=end_with_parent,
    )


def operator_settings(kubeconfig: Path, **more: object) -> dict[str, object]:
    found: dict[str, object] = {
        "KUBECONFIG": kubeconfig, "NAMESPACE": PLATFORM, "IDENTITY": "one", **TOKENS,
        "ENGINE_IMAGE": "engine:1", "AGENT_IMAGE": "agent:1", "PORT": free_port(), "TENANT_QUOTAS": "true",
    }  # fmt: skip
    return {**found, **{key.upper(): value for key, value in more.items()}}


@contextmanager
def operator(server: ApiServer, kubeconfig: Path | None = None, **more: object) -> "Iterator[subprocess.Popen[bytes]]":
    """Ready, which does not say that it leads."""
    settings = operator_settings(kubeconfig or server.user("operator"), **more)
    log = server.folder / f"operator-{settings['IDENTITY']}.log"
    with process("operators", "QUIVER_OPERATOR_", settings, log) as started:
        url = f"http://{HOST}:{settings['PORT']}/readyz"
        wait_until(partial(_answers_or_ended, started, url, log), f"an operator that is ready, {log}")
        yield started


def _answers_or_ended(started: "subprocess.Popen[bytes]", url: str, log: Path) -> bool:
    assert started.poll() is None, f"ended with {started.returncode}: {log.read_text()[-2000:]}"
    return answers(url)


def free_lease(server: ApiServer) -> None:
    """As if a dead one's lease had run out: what is tested is not the waiting."""
    patch = '{"spec": {"holderIdentity": ""}}'
    server.kubectl("patch", "lease", "quiver-operator", "-n", PLATFORM, "--type=merge", "-p", patch, check=False)


# Objects ---------------------------------------------------------------------------------------------------------


def thing(kind: str, name: str, within: str | None = None, /, **spec: Any) -> Data:
    metadata = {"name": name, **({"namespace": within} if within else {})}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def namespace(name: str) -> Data:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def get(server: ApiServer, kind: str, name: str, within: str | None = None) -> Data | None:
    place = ["-n", within] if within else []
    done = server.kubectl("get", kind, name, *place, "-o", "yaml", check=False)
    found: Data | None = yaml.safe_load(done.stdout) if done.returncode == 0 else None
    return found


def condition(item: Data | None, kind: str) -> Data:
    conditions = (item or {}).get("status", {}).get("conditions", ())
    return next((c for c in conditions if c["type"] == kind), {})


def reason(server: ApiServer, kind: str, name: str, within: str | None = None, of: str = ACCEPTED) -> str:
    return str(condition(get(server, kind, name, within), of).get("reason", ""))


def is_ready(server: ApiServer, kind: str, name: str, within: str | None = None) -> bool:
    return condition(get(server, kind, name, within), READY).get("status") == "True"


def pod(server: ApiServer, name: str, *, component: str, base: str | None = None) -> None:
    """What a Deployment's controller and a scheduler would make of it; it runs nowhere."""
    labels = {NAME: "quiver", COMPONENT: component, **({BASE_MODEL: base} if base else {})}
    spec = {"containers": [{"name": "main", "image": "none"}]}
    server.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": PLATFORM, "labels": labels},
         "spec": spec}
    )  # fmt: skip


def say(server: ApiServer, name: str, *, ready: bool, address: str = HOST) -> None:
    """What a kubelet would say of a pod."""
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
              "conditions": [{"type": "Ready", "status": str(ready)}]}  # fmt: skip
    patch = yaml.safe_dump({"status": status})
    server.kubectl("patch", "pod", name, "-n", PLATFORM, "--subresource=status", "--type=merge", "-p", patch)


# Waiting ---------------------------------------------------------------------------------------------------------


def answers(url: str, limit_s: float = 5) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=limit_s) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until(holds: Callable[[], object], what: str, limit_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit_s:.0f} s")
        time.sleep(0.1)
