"""Prerequisites of a local run, with remedies."""

import os
import platform
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from operators.check import Check
from operators.local.directory import STATE
from operators.local.disk import disk_obstacle
from operators.local.layout import LOOPBACK
from operators.settings import Settings

GIB = 1024**3
MEMORY_GIB = 6
DISK_GIB = 2
DESCRIPTORS = 4096
ANSWER_S = 30.0  # for a Python to start, from a cold disk


def examine(settings: Settings, port: int, root: Path) -> Iterator[Check]:
    """The checks for a run of the objects in `root`."""
    system = f"{platform.system()} {platform.machine()}"
    yield Check("machine", system == "Linux x86_64", system, "the CPU engine is for Linux on x86-64", needed=False)
    yield _engine(settings.engine_python)
    if not settings.has_embedder_by_address:  # a server is asked at the start
        yield _embedder(Path(settings.embedder))
    yield _compiler()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    yield Check("memory", memory >= MEMORY_GIB, f"{memory:.1f} GiB", f"{MEMORY_GIB} GiB are needed", needed=False)
    disk = shutil.disk_usage(root).free / GIB
    yield Check("disk", disk >= DISK_GIB, f"{disk:.1f} GiB free for {root}", f"free {DISK_GIB} GiB", needed=False)
    yield _state(root)
    yield _descriptors()
    yield _port(port)


def _state(root: Path) -> Check:
    obstacle = disk_obstacle(root)
    state = obstacle.fact if obstacle else f"{root / STATE} can be written"
    return Check("state", obstacle is None, state, obstacle.remedy if obstacle else "")


def _descriptors() -> Check:
    """Each connection takes one; the gateway raises its limit as far as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = "unlimited" if most == resource.RLIM_INFINITY else f"{most} open files for one process"
    enough = most == resource.RLIM_INFINITY or most >= DESCRIPTORS
    return Check("descriptors", enough, limit, f"ulimit -Hn {DESCRIPTORS}, for thousands of callers", needed=False)


def _compiler() -> Check:
    """Not needed: without one, nothing of an engine is compiled."""
    return Check("compiler", True, compiler() or "none: engines on CPUs run without compiled parts", "")


def compiler() -> str | None:
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


def _embedder(folder: Path) -> Check:
    missing = [name for name in ("model.onnx", "tokenizer.json") if not (folder / name).is_file()]
    return Check(
        "embedder", not missing, f"{folder} {'lacks ' + ', '.join(missing) if missing else 'is whole'}", "make setup"
    )


def _engine(python: Path) -> Check:
    remedy = "make setup, or point QUIVER_ENGINE_PYTHON to a Python that has vLLM"
    if any(character.isspace() for character in str(python)):
        problem = f"{python} has a space in its path, where vLLM splits the paths of preloaded libraries"
        return Check("engine", False, problem, "move it to a path without spaces")
    if not python.is_file():
        return Check("engine", False, f"{python} does not exist", remedy)
    code = "import importlib.util as u; print(u.find_spec('vllm') is not None)"
    try:
        run = subprocess.run([python, "-c", code], capture_output=True, check=False, timeout=ANSWER_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("engine", False, f"{python} is not a Python that runs ({type(error).__name__})", remedy)
    match run.stdout.strip():
        case b"True":
            return Check("engine", True, f"{python} has vLLM", remedy)
        case b"False":
            return Check("engine", False, f"{python} lacks vLLM", remedy)
    return Check("engine", False, f"{python} is not a Python that runs (status {run.returncode})", remedy)


def _port(port: int) -> Check:
    free = port_is_free(port)
    state = f"{port} on {LOOPBACK} is {'free' if free else 'in use'}"
    return Check("port", free, state, "give another one with --port")


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
