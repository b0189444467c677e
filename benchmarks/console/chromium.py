"""Debian's Chromium, driven by playwright."""

import os
import shutil
import subprocess
from collections.abc import Iterator
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
    done = subprocess.run(
        ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *_PACKAGES],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    return "" if PROGRAM.exists() else f"{remedy} failed: {done.stderr[-300:]}"


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=PROGRAM, args=list(_FLAGS))
        try:
            yield opened
        finally:
            opened.close()
