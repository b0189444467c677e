"""A real etcd and a real kube-apiserver on loopback, with RBAC, an audit log, and nothing else of a cluster.

No controller, scheduler or kubelet runs: what they would do, a test does.
"""

import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import trustme
import yaml

from examples.demo.platform import end_with_parent
from operators.local.layout import free_port
from tests.api_server.binaries import Binaries, binaries

READY_LIMIT_S = 60.0
HOST = "127.0.0.1"


@dataclass
class ApiServer:
    """`audit` holds one event a line, for every request that is no watch of the server's own."""

    binaries: Binaries
    folder: Path
    port: int
    admin_token: str
    ca_file: Path
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def audit(self) -> Path:
        return self.folder / "audit.log"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> "subprocess.CompletedProcess[str]":
        command = [str(self.binaries.kubectl), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def user(self, name: str) -> Path:
        """A kubeconfig for one of the users who have a token from the start."""
        tokens = dict(line.split(",")[1::-1] for line in (self.folder / "tokens.csv").read_text().splitlines())
        path = self.folder / f"kubeconfig-{name}"
        path.write_text(yaml.safe_dump(_kubeconfig(self.url, self.ca_file, tokens[name])))
        return path

    def events(self) -> Iterator[dict[str, Any]]:
        """What was asked of the server so far, as its audit log has it."""
        for line in self.audit.read_text().splitlines():
            yield json.loads(line)


USERS = ("operator", "gateway", "other", "kserve", "stranger")
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata"}],
}


@contextmanager
def api_server() -> Iterator[ApiServer]:
    """Ends both processes, whatever happens. Skips the test where the programs cannot be had."""
    found = binaries()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quiver-api-server-")))
        client, peer, port = free_port(), free_port(), free_port()
        log = stack.enter_context((folder / "log").open("wb"))
        etcd = f"http://{HOST}:{client}"
        stack.enter_context(_running(_etcd(found, folder, etcd, f"http://{HOST}:{peer}"), log))
        token = _prepare(folder)
        process = stack.enter_context(_running(_server(found, folder, etcd, port), log))
        server = ApiServer(found, folder, port, token, folder / "ca.crt", process)
        server.kubeconfig.write_text(yaml.safe_dump(_kubeconfig(server.url, server.ca_file, token)))
        _wait_until_ready(server)
        yield server


def _prepare(folder: Path) -> str:
    """Keys, certificates, users and the audit policy; the token of the first user, who may do everything."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.crt")
    certificate = authority.issue_cert(HOST, "localhost", "kubernetes.default.svc")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(folder / "server.crt", append=number > 0)
    tokens = {name: secrets.token_hex(16) for name in ("admin", *USERS)}
    groups = {"admin": ',"system:masters"'}
    lines = [f"{token},{name},{name}{groups.get(name, '')}\n" for name, token in tokens.items()]
    (folder / "tokens.csv").write_text("".join(lines))
    (folder / "audit.yaml").write_text(yaml.safe_dump(_AUDIT_POLICY))
    return tokens["admin"]


def _etcd(found: Binaries, folder: Path, client: str, peer: str) -> list[str]:
    return [str(found.etcd), "--data-dir", str(folder / "etcd"), "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}", "--log-level", "error"]  # fmt: skip


def _server(found: Binaries, folder: Path, etcd: str, port: int) -> list[str]:
    return [str(found.kube_apiserver), f"--etcd-servers={etcd}", f"--secure-port={port}", f"--bind-address={HOST}",
            f"--cert-dir={folder}", f"--tls-cert-file={folder}/server.crt",
            f"--tls-private-key-file={folder}/server.key", f"--token-auth-file={folder}/tokens.csv",
            "--authorization-mode=RBAC", f"--service-account-key-file={folder}/server.key",
            f"--service-account-signing-key-file={folder}/server.key",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount", f"--audit-policy-file={folder}/audit.yaml",
            f"--audit-log-path={folder}/audit.log", f"--advertise-address={HOST}",
            "--endpoint-reconciler-type=none"]  # fmt: skip


@contextmanager
def _running(command: list[str], log: IO[bytes]) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _kubeconfig(url: str, ca_file: Path, token: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(ca_file)}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }


def _wait_until_ready(server: ApiServer) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while server.kubectl("get", "--raw", "/readyz", check=False).returncode:
        if time.monotonic() > deadline or server.process.poll() is not None:
            raise RuntimeError(f"the API server did not get ready: {(server.folder / 'log').read_text()[-2000:]}")
        time.sleep(0.2)
