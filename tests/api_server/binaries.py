"""kube-apiserver, etcd and kubectl: from KUBEBUILDER_ASSETS, or made once and cached beside the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.debian import CACHE, program

VERSION = "1.34.4"
COMMANDS = ("kube-apiserver", "kubectl")
BUILD_LIMIT_S = 1800

# Runs Go with these arguments in a folder, and returns what it prints.
Go = Callable[..., bytes]


@dataclass(frozen=True)
class Binaries:
    etcd: Path
    kube_apiserver: Path
    kubectl: Path


def binaries() -> Binaries:
    """Skips the test where they cannot be had."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        return Binaries(*(Path(assets) / name for name in ("etcd", *COMMANDS)))
    folder = built(f"kubernetes-{VERSION}", _compile)
    return Binaries(program("etcd-server", "usr/bin/etcd"), *(folder / name for name in COMMANDS))


def built(name: str, compiling: Callable[[Go, Path], None]) -> Path:
    """The folder with what `compiling` leaves in `bin` of a folder of its own, made once. Skips the test where it
    cannot be made."""
    folder = CACHE / name
    if folder.exists():
        return folder
    go = shutil.which("go")
    if go is None:
        pytest.skip(f"{name} is compiled with Go 1.26, which is not here; install it, or set KUBEBUILDER_ASSETS")
    sys.stderr.write(f"compiling {name}: about 5 minutes, once …\n")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        try:
            compiling(partial(_go, go, Path(work)), Path(work))
        except subprocess.SubprocessError as error:
            words = (getattr(error, "stderr", None) or b"").decode(errors="replace")[-500:]
            pytest.skip(f"{name} cannot be compiled: {error} {words}")
        (Path(work) / "bin").rename(folder)
    return folder


def _go(go: str, work: Path, *arguments: str) -> bytes:
    environment = {**os.environ, "CGO_ENABLED": "0"}
    done = subprocess.run(
        [go, *arguments], cwd=work, env=environment, check=True, capture_output=True, timeout=BUILD_LIMIT_S
    )
    return done.stdout


def _compile(run: Go, work: Path) -> None:
    """In a module of its own. k8s.io/kubernetes replaces its staging modules by folders; here they are releases."""
    module = f"k8s.io/kubernetes@v{VERSION}"
    (work / "go.mod").write_text("module tools\ngo 1.25.0\n")
    upstream = Path(json.loads(run("mod", "download", "-json", module))["GoMod"]).read_text()
    staging = sorted(set(re.findall(r"(k8s\.io/[a-z-]+) => \./staging", upstream)))
    release = f"v0.{VERSION.removeprefix('1.')}"
    replaces = "".join(f"replace {name} => {name} {release}\n" for name in staging)
    (work / "go.mod").write_text(f"module tools\ngo 1.25.0\nrequire k8s.io/kubernetes v{VERSION}\n{replaces}")
    packages = [f"k8s.io/kubernetes/cmd/{name}" for name in COMMANDS]
    imports = "".join(f'import _ "{package}"\n' for package in packages)
    (work / "tools.go").write_text(f"//go:build tools\n\npackage tools\n\n{imports}")
    run("mod", "tidy", "-e")
    major, minor, _ = VERSION.split(".")
    stamp = "k8s.io/component-base/version.git"
    flags = f"-s -w -X {stamp}Version=v{VERSION} -X {stamp}Major={major} -X {stamp}Minor={minor}"
    run("build", "-trimpath", "-ldflags", flags, "-o", f"{work}/bin/", *packages)
