"""A PostgreSQL server of its own, as an ordinary user, on a free port; it ends with the test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from operators.local.layout import free_port
from tests.retrieval.conftest import wait_until

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_USER = "nobody"  # the server refuses to run as root


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of an empty database. Skips the test where PostgreSQL is not installed."""
    initdb, server = _program("initdb"), _program("postgres")
    data, port = folder / "data", free_port()
    data.mkdir()
    prefix = _unprivileged(folder)
    subprocess.run(
        [*prefix, initdb, "--pgdata", data, "--username", "quiver", "--auth", "trust", "--no-sync"],
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    command = [server, "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(data)]
    with subprocess.Popen(
        [*prefix, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    ) as process:
        try:
            wait_until(partial(_answers, port), seconds=60)
            yield f"postgresql+psycopg://quiver@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    """It refuses callers for a moment after it listens."""
    try:
        psycopg.connect(host="127.0.0.1", port=port, user="quiver", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _program(name: str) -> str:
    places = [str(place / name) for place in _PLACES if (place / name).exists()]
    if found := shutil.which(name) or next(iter(places), None):
        return str(Path(found).resolve())
    pytest.skip("PostgreSQL is not installed")


def _unprivileged(folder: Path) -> list[str]:
    if os.getuid():
        return []
    for path in (folder, *folder.parents):
        if path.owner() == "root" and path.stat().st_mode & 0o077 == 0:
            path.chmod(path.stat().st_mode | 0o011)
    shutil.chown(folder / "data", _USER)
    return ["setpriv", f"--reuid={_USER}", "--clear-groups", "--pdeathsig=KILL"]
