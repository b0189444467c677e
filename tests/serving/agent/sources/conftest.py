import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from benchmarks.hostile import write
from serving.agent.adapter_config import CONFIG
from serving.agent.sources.policy import Policy
from serving.agent.weights import WEIGHTS

SIZE = 3_000_000


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "127.0.0.2").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def policy(tmp_path: Path, ca_file: Path) -> Policy:
    return Policy(
        max_bytes=10_000_000,
        timeout_s=20,
        stall_s=5,
        file_roots=(tmp_path,),
        volumes=tmp_path / "volumes",
        allow_private=True,
        ca_file=ca_file,
    )


@pytest.fixture
def into(tmp_path: Path) -> Path:
    directory = tmp_path / "into"
    directory.mkdir()
    return directory


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """Large enough to be broken off in the middle. Not a right adapter: nobody looks inside on the way."""
    return write(tmp_path / "artifact", content=bytes(range(250)) * (SIZE // 250))


@pytest.fixture
def fetched(artifact: Path, into: Path) -> Callable[[], bool]:
    """Does `into` hold the artifact's two files and nothing else?"""

    def same() -> bool:
        names = {path.name for path in into.iterdir()}
        return names == {CONFIG, WEIGHTS} and all(
            (into / name).read_bytes() == (artifact / name).read_bytes() for name in names
        )

    return same
