"""What each image is: one part, that starts, without a compiler, a root user, or another part's weight."""

import json
import subprocess
from collections.abc import Iterator

from tests.e2e.images import REPOSITORY, TAG

COMMANDS = {
    "gateway": ["-m", "serving.gateway", "--help"],
    "agent": ["-m", "serving.agent", "--help"],
    "operator": ["-m", "operators", "--help"],
    "retrieval": ["-m", "retrieval", "--help"],
    "drift": ["-m", "serving.drift", "--help"],
    "management": ["-m", "operators.management", "--help"],
    "console": ["-m", "console", "--help"],
    "milvus": ["-m", "milvus_lite", "--help"],
}
HEAVY = ("torch", "vllm", "transformers", "onnxruntime", "pymilvus", "numpy", "kubernetes", "faiss", "lxml")
OWN = {
    "gateway": {"kubernetes"},
    "agent": {"numpy"},
    "operator": {"kubernetes"},
    "retrieval": {"onnxruntime", "pymilvus", "numpy", "lxml"},
    "drift": {"numpy"},
    "management": {"kubernetes"},
    "console": set(),
    "milvus": {"pymilvus", "numpy", "faiss"},
}
_FOUND = "import importlib.util, sys; print(*[n for n in sys.argv[1:] if importlib.util.find_spec(n)])"


def faults() -> Iterator[str]:
    for part, command in COMMANDS.items():
        yield from (f"image {part}: {fault}" for fault in _faults(part, command))


def _faults(part: str, command: list[str]) -> Iterator[str]:
    image = f"{REPOSITORY}/{part}:{TAG}"
    settings = json.loads(_run("buildah", "inspect", "--type", "image", image))["OCIv1"]["config"]
    if settings.get("User", "0").partition(":")[0] in ("", "0", "root"):
        yield "runs as root"
    container = _run("buildah", "from", image).strip()
    try:
        inside = ["buildah", "run", "--isolation", "chroot", container, "--"]
        if "usage" not in _run(*inside, "python", *command).lower():
            yield "does not say how it is used"
        extra = set(_run(*inside, "python", "-c", _FOUND, *HEAVY).split()) - OWN[part]
        if extra:
            yield f"holds {', '.join(sorted(extra))}"
        if _run(*inside, "sh", "-c", "for c in gcc cc g++ clang; do command -v $c; done; echo none").strip() != "none":
            yield "holds a compiler"
        if not _run(*inside, "id", "-u").strip().isdigit() or _run(*inside, "id", "-u").strip() == "0":
            yield "is root inside"
    finally:
        _run("buildah", "rm", container)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
