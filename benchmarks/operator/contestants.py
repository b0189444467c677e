"""The operators that are compared: each a process, with a user of its own, so that the audit log tells them apart."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from examples.demo.platform import end_with_parent
from operators.local.layout import free_port
from tests.api_server.parts import PLATFORM, TOKENS
from tests.api_server.server import ApiServer

HERE = Path(__file__).parent
BUILD = Path("build/bench-operator").resolve()


@dataclass(frozen=True)
class Contestant:
    """`user` is who it is to the API server."""

    name: str
    user: str

    def command(self) -> list[str]:
        if self.name == "go":
            return [str(BUILD / "reference")]
        if self.name == "kopf":
            return [str(BUILD / "kopf/bin/python"), str(HERE / "kopf_reference.py")]
        return [sys.executable, "-m", "operators"]

    def environment(self, server: ApiServer, agent_port: int) -> dict[str, str]:
        if self.name == "ours":
            settings = {
                "KUBECONFIG": server.user(self.user), "NAMESPACE": PLATFORM, "IDENTITY": f"ours-{free_port()}",
                **TOKENS, "ENGINE_IMAGE": "engine:1", "AGENT_IMAGE": "agent:1", "PORT": free_port(),
                "AGENT_PORT": agent_port,
            }  # fmt: skip
            named = {f"QUIVER_OPERATOR_{key}": str(value) for key, value in settings.items()}
            return {**named, "SSL_CERT_FILE": str(server.ca_file)}  # as the chart has it
        return {"KUBECONFIG": str(server.user(self.user)), "AGENT": f"http://127.0.0.1:{agent_port}"}


OURS, GO, KOPF_DEFAULTS = (
    Contestant("ours", "operator"),
    Contestant("go", "gateway"),
    Contestant("kopf", "other"),
)


@dataclass
class Running:
    process: "subprocess.Popen[bytes]"

    @property
    def cpu_s(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def rss(self) -> int:
        """Bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)


@contextmanager
def running(contestant: Contestant, server: ApiServer, agent_port: int) -> Iterator[Running]:
    """Ended by SIGTERM, so that its lease is given back."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with (BUILD / f"{contestant.name}.log").open("ab") as log:
        process = subprocess.Popen(
            contestant.command(),
            env={**kept, **contestant.environment(server, agent_port)},
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
        )
        try:
            yield Running(process)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def build(*, alone: bool) -> list[Contestant]:
    """Ours first, then the others that can be built here unless it is `alone`; prints why one cannot."""
    BUILD.mkdir(parents=True, exist_ok=True)
    found = [OURS]
    if alone:
        return found
    if shutil.which("go"):
        print("compiling the reference in Go: minutes the first time …", flush=True)
        command = ["go", "build", "-o", str(BUILD / "reference"), "."]
        subprocess.run(command, cwd=HERE / "reference", env={**os.environ, "CGO_ENABLED": "0"}, check=True)
        found.append(GO)
    else:
        print("no Go here: the reference on controller-runtime is left out", flush=True)
    if not (BUILD / "kopf/bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(BUILD / "kopf")], check=True)
    pip = [str(BUILD / "kopf/bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    subprocess.run([*pip, "-r", str(HERE / "kopf.txt")], check=True)
    return [*found, KOPF_DEFAULTS]
