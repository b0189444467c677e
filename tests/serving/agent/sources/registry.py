"""A real registry (Debian's docker-registry), fetched once into a cache beside the checkout, and what pushes to it."""

import asyncio
import hashlib
import io
import json
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import bcrypt
import trustme

from operators.local.layout import free_port
from serving.agent.sources.credentials import basic
from tests.debian import program
from tests.serving.agent.sources.servers import HOST

PACKAGE = "docker-registry"
USER, PASSWORD = "agent", "correct horse"


def binary() -> Path:
    """Skips the test where the package cannot be had."""
    return program(PACKAGE, "usr/bin/docker-registry")


@dataclass
class Registry:
    port: int
    storage: Path
    ca_file: Path

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def blob(self, digest: str) -> Path:
        """Where the registry keeps a blob's bytes."""
        name = digest.removeprefix("sha256:")
        return self.storage / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"

    async def push(self, repository: str, tag: str, files: Iterable[Path], *, folder: str = "") -> str:
        """As `oras push` does. Returns the manifest's digest."""
        layers = []
        async with self._session() as session:
            for path in files:
                digest, size = await self._upload(session, repository, path.read_bytes())
                title = {"org.opencontainers.image.title": f"{folder}{path.name}"}
                media = "application/vnd.oci.image.layer.v1.tar"
                layers.append({"mediaType": media, "digest": digest, "size": size, "annotations": title})
            empty, size = await self._upload(session, repository, b"{}")
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": size},
                "layers": layers,
            }
            headers = {"Content-Type": str(manifest["mediaType"])}
            url = f"/v2/{repository}/manifests/{tag}"
            async with session.put(url, data=json.dumps(manifest), headers=headers) as response:
                assert response.status == 201, await response.text()
                return response.headers["Docker-Content-Digest"]

    def _session(self) -> aiohttp.ClientSession:
        headers = {"Authorization": basic(USER, PASSWORD)}
        tls = ssl.create_default_context(cafile=self.ca_file)
        return aiohttp.ClientSession(f"https://{self.host}", headers=headers, connector=aiohttp.TCPConnector(ssl=tls))

    async def _upload(self, session: aiohttp.ClientSession, repository: str, content: bytes) -> tuple[str, int]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        async with session.post(f"/v2/{repository}/blobs/uploads/") as response:
            assert response.status == 202, await response.text()
            place = response.headers["Location"]
        async with session.put(f"{place}&digest={digest}", data=io.BytesIO(content)) as response:
            assert response.status == 201, await response.text()
        return digest, len(content)


@asynccontextmanager
async def registry(directory: Path, authority: trustme.CA, ca_file: Path) -> AsyncIterator[Registry]:
    """A private one, over TLS."""
    program = await asyncio.to_thread(binary)
    port = free_port()
    configuration = await asyncio.to_thread(_configure, directory, authority, port)
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(program, "serve", configuration, stdout=log, stderr=log)
    try:
        await _listening(port, process)
        yield Registry(port, directory / "storage", ca_file)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _configure(directory: Path, authority: trustme.CA, port: int) -> Path:
    certificate = authority.issue_cert("localhost", HOST)
    certificate.cert_chain_pems[0].write_to_path(str(directory / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (directory / "htpasswd").write_text(f"{USER}:{secret}\n")
    tls = {"certificate": str(directory / "cert.pem"), "key": str(directory / "key.pem")}
    configuration = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "storage")}},
        "auth": {"htpasswd": {"realm": "quiver", "path": str(directory / "htpasswd")}},
        "http": {"addr": f"{HOST}:{port}", "tls": tls, "relativeurls": True, "secret": "of this test"},
    }
    path = directory / "config.yml"
    path.write_text(json.dumps(configuration))
    return path


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except ConnectionError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return
    raise AssertionError(f"the registry ended with {process.returncode}")
