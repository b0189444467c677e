"""Debian's Chromium, driven by playwright."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PROGRAM = Path("/usr/bin/chromium")
_PACKAGES = ("chromium", "fonts-noto-cjk")
# No sandbox as root, little shared memory, and nothing of its own over the network.
_FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str:
    """Why there is no browser, "" if there is one. As root, on Debian, it is installed."""
    if PROGRAM.exists():
        return ""
    remedy = f"apt-get install {' '.join(_PACKAGES)}"
    if os.geteuid() or not shutil.which("apt-get"):
        return f"there is no {PROGRAM}: {remedy}"
    fault = "".join(map(_apt_get, (("update",), ("install", "--no-install-recommends", *_PACKAGES))))
    return "" if PROGRAM.exists() else f"{remedy} failed: {fault[-300:]}"


def _apt_get(arguments: Sequence[str]) -> str:
    """Its error output."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "--yes", "--quiet", *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True).stderr


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=PROGRAM, args=list(_FLAGS))
        try:
            yield opened
        finally:
            opened.close()
