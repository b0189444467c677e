"""Programs from Debian's archive, fetched once into a cache beside the checkout; nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quiver-tools"


def program(package: str, path: str) -> Path:
    """Skips the test where the package cannot be had."""
    cache = CACHE / package
    if not (cache / path).exists():
        _unpack(package, cache)
    return cache / path


def _unpack(package: str, cache: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        pytest.skip(f"{package} is taken from Debian's archive, and this system has no apt-get and dpkg")
    staging = cache.with_name(f"{package}.{os.getpid()}")
    staging.mkdir(parents=True)
    try:
        subprocess.run(["apt-get", "download", package], cwd=staging, check=True, capture_output=True, timeout=90)
        (archive,) = staging.glob("*.deb")
        subprocess.run(["dpkg", "-x", archive, staging], check=True, capture_output=True, timeout=60)
        archive.unlink()
        if not cache.exists():
            staging.rename(cache)
    except (subprocess.SubprocessError, ValueError, OSError) as error:
        pytest.skip(f"{package} cannot be had from Debian's archive: {error}")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
