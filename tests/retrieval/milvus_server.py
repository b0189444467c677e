"""A real Milvus server of the package `milvus` (2.3.5): users, roles and dense vectors; no sparse ones.

It writes all its state into one folder, and listens on all interfaces, whatever it is told.
"""

import contextlib
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import milvus
import trustme
import yaml

from operators.local.layout import free_port
from tests.retrieval.conftest import dying_with_parent, wait_until

ROOT = "root:Milvus"  # the first user of every Milvus, and its password
START_SECONDS = 120.0
_COORDINATORS = ("root_coord", "query_coord", "index_coord", "data_coord")
_NODES = ("query_node", "index_node", "data_node")
_PORTS = tuple(f"{part}_port" for part in (*_COORDINATORS, *_NODES, "proxy", "proxy_internal", "etcd"))


@dataclass(frozen=True)
class MilvusServer:
    """A folder with programs, configuration and data; ports that were free."""

    folder: Path
    port: int
    health_port: int

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """A healthy process, killed at the end."""
        program = self.folder / "bin" / "milvus"
        environment = os.environ | {
            "DEPLOY_MODE": "STANDALONE",
            "LD_LIBRARY_PATH": str(program.parent),
            "METRICS_PORT": str(self.health_port),
            "MILVUS_RUN_DIR": str(self.folder / "run"),
        }
        with subprocess.Popen(
            dying_with_parent(str(program), "run", "standalone"),
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                wait_until(lambda: self._is_healthy(server), seconds=START_SECONDS)
                yield server
            finally:
                server.kill()

    def _is_healthy(self, server: "subprocess.Popen[bytes]") -> bool:
        assert server.poll() is None, "the Milvus server ended while it started"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/healthz", timeout=5) as answer:
                return b"OK" in answer.read()
        except OSError:
            return False


def milvus_server(folder: Path, certificate: trustme.LeafCert | None = None) -> MilvusServer:
    """A server in this folder that asks for a user and a password. It talks TLS if it has a certificate."""
    config = milvus.MilvusServerConfig(data_dir=str(folder), **{name: free_port() for name in _PORTS})
    config.set("authorization_enabled", True)
    if certificate is not None:
        folder.mkdir()
        certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
        certificate.private_key_pem.write_to_path(str(folder / "server.key"))
        config.set("server_pem_path", str(folder / "server.pem"))
        config.set("server_key_path", str(folder / "server.key"))
        config.set("tls_mode", 1)
    config.resolve()
    milvus._initialize_data_files(str(folder))
    _set_etcd_ports(folder / "configs", config.get("etcd_port"))
    return MilvusServer(folder, config.get("proxy_port"), free_port())


def _set_etcd_ports(configs: Path, client_port: int) -> None:
    """Without a file of its own, the embedded etcd listens on 2379 and 2380, as that of any other server would."""
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{free_port()}"
    etcd = configs / "etcd.yaml"
    etcd.write_text(
        yaml.safe_dump(
            {
                "name": "default",
                "listen-client-urls": client,
                "advertise-client-urls": client,
                "listen-peer-urls": peer,
                "initial-advertise-peer-urls": peer,
                "initial-cluster": f"default={peer}",
            }
        )
    )
    milvus_yaml = configs / "milvus.yaml"
    settings = yaml.safe_load(milvus_yaml.read_text())
    settings["etcd"]["config"] = {"path": str(etcd)}
    milvus_yaml.write_text(yaml.safe_dump(settings))
