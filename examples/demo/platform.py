"""A directory of objects of its own, `quiver up` on it, and everything stopped at the end."""

import ctypes
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import psutil

from operators.local.layout import free_port

HERE = Path(__file__).parent
QUIVER = str(Path(sys.executable).with_name("quiver"))
# Without a sign of progress: a busy or slow machine takes as long as it takes.
STALL_LIMIT_S = 300.0
STOP_LIMIT_S = 60.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class NotReady(Exception):
    """The platform did not come up; the message says what was still missing."""


@dataclass
class Platform:
    root: Path
    port: int
    process: "subprocess.Popen[str]"
    keys: dict[str, str] = field(default_factory=dict)
    metrics_url: str = ""
    drift_url: str = ""
    console_url: str = ""
    management_url: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def snapshot(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.root / ".quiver" / "snapshot.json").read_text())
        except (FileNotFoundError, ValueError):  # not written yet, or damaged by a run before
            return {}
        return found

    def objects(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.snapshot.get("objects", {}).get(kind, [])
        return found

    @property
    def answering_versions(self) -> list[str]:
        """The names in the engines of versions that answer."""
        slices = self.snapshot.get("adapterSlices", ())
        return [version["name"] for each in slices for version in each["spec"]["versions"]]

    def answers(self, adapter: str) -> bool:
        return any(item["metadata"]["name"] == adapter and is_ready(item) for item in self.objects("adapters"))

    def ready(self, kind: str) -> int:
        return sum(map(is_ready, self.objects(kind)))

    def not_ready(self) -> list[str]:
        items = [item for kind in ("baseModels", "adapters", "knowledgeBases") for item in self.objects(kind)]
        if not items:
            return ["everything"]
        return [f"{item['kind']} {item['metadata']['name']}" for item in items if not is_ready(item)]

    def wait_until(self, condition: Callable[[], Any], *, what: str, limit_s: float | None = None) -> float:
        """Seconds that it took. Raises NotReady after `limit_s`, or once no log grows for STALL_LIMIT_S."""
        begun = moved = time.monotonic()
        written = 0
        while not condition():
            if self.process.poll() is not None:
                raise NotReady(f"quiver up ended with status {self.process.returncode} while waiting for {what}")
            if limit_s is None and (size := self._written()) != written:
                written, moved = size, time.monotonic()
            if time.monotonic() - moved > (limit_s or STALL_LIMIT_S):
                missing = ", ".join(self.not_ready()) or "nothing"
                raise NotReady(
                    f"no {what}, and no progress for {limit_s or STALL_LIMIT_S:.0f} s; not ready: {missing}; "
                    f"see {self.root}/.quiver/logs"
                )
            time.sleep(0.05)
        return time.monotonic() - begun

    def _written(self) -> int:
        """Bytes of all logs."""
        return sum(path.stat().st_size for path in (self.root / ".quiver" / "logs").glob("*.log"))

    def wait_until_ready(self) -> float:
        return self.wait_until(lambda: not self.not_ready(), what="readiness of every object")

    def part(self, module: str) -> psutil.Process:
        """The running process of one part. Raises StopIteration while there is none."""
        family = psutil.Process(self.process.pid).children()
        return next(child for child in family if module in child.cmdline())

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_S)
        finally:
            self.process.kill()


def is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


@contextmanager
def running(
    root: Path,
    *,
    tenants: tuple[str, ...],
    port: int | None = None,
    options: tuple[str, ...] = (),
    scopes: tuple[str, ...] = ("inference", "documents"),
    out: TextIO | None = None,
) -> Iterator[Platform]:
    """`quiver up` with these options on a directory, and a key for each tenant. What it says goes to `out`."""
    keys = {tenant: create_key(root, tenant, scopes=scopes) for tenant in tenants}
    chosen = port or free_port()
    process = subprocess.Popen(
        [
            QUIVER,
            "up",
            str(root),
            "--port",
            str(chosen),
            *options,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,  # a terminal's Ctrl-C is ours to pass on, once
        preexec_fn=end_with_parent,
    )
    platform = Platform(root, chosen, process, keys)
    reader = threading.Thread(target=_relay, args=(platform, out or sys.stderr), daemon=True)
    reader.start()
    try:
        yield platform
    finally:
        platform.stop()
        reader.join()
        if process.stdout:
            process.stdout.close()


def copy_objects(target: Path, source: Path = HERE) -> Path:
    """The objects and documents alone, so that nothing that runs edits what is kept. Raises FileExistsError."""
    target.mkdir(parents=True)
    for path in source.glob("*.yaml"):
        shutil.copy(path, target)
    shutil.copytree(source / "documents", target / "documents")
    return target


def create_key(
    root: Path, tenant: str, name: str = "demo", scopes: tuple[str, ...] = ("inference", "documents")
) -> str:
    """The new key. Raises NotReady."""
    command = [QUIVER, "keys", "create", str(root), "--tenant", tenant, "--name", name]
    command += [word for scope in scopes for word in ("--scope", scope)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotReady(f"no key for tenant {tenant}: {done.stderr.strip()}")
    return done.stdout.strip()


def read_metrics(platform: "Platform", url: str) -> str:
    """As Prometheus does, with the token that `quiver up` writes for it."""
    token = (platform.root / ".quiver" / "metrics-token").read_text()
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as response:
        text: str = response.read().decode()
    return text


def _relay(platform: Platform, out: TextIO) -> None:
    for line in platform.process.stdout or ():
        if line.startswith("metrics "):
            _, platform.metrics_url, platform.drift_url = line.split()
        elif line.startswith("console "):
            platform.console_url = line.split()[1]
        elif line.startswith("manage "):
            platform.management_url = line.split()[1]
        out.write(line)
        out.flush()


def end_with_parent() -> None:
    """Runs in a child before it becomes its command: it is told to stop when we are gone (Linux)."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
