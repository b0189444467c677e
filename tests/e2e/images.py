"""The images of the parts, as `make images` builds them, brought into a node."""

import os
import shutil
import subprocess
from itertools import product
from pathlib import Path

from tests.e2e.cluster import Cluster

HERE = Path(__file__).parents[2]
FOLDER = HERE / "build/images"
REPOSITORY = "localhost/quiver"
TAG = "e2e"
# The same images under another name: what rolls for a release rolls for it.
NEXT_TAG = "e2e-next"
BASE = "localhost/quiver-python:3.11"
PARTS = ("gateway", "agent", "operator", "retrieval", "drift", "management", "console", "milvus", "engine-runtime")
CERTIFICATES = "/etc/ssl/certs"


def build() -> None:
    """On a Python of Debian's packages, so that no registry is asked. Raises CalledProcessError."""
    _base()
    arguments = ["--isolation", "chroot", "--layers", "--quiet", "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro",
                 "--build-arg", f"PYTHON={BASE}", "--build-arg", "PIP_CERT"]  # fmt: skip
    environment = {**os.environ, "PIP_CERT": f"{CERTIFICATES}/ca-certificates.crt"}
    command = ["make", "--no-print-directory", "images", "BUILDER=buildah", f"BUILD_ARGS={' '.join(arguments)}",
               f"REPOSITORY={REPOSITORY}", f"TAG={TAG}", f"IMAGES={' '.join(PARTS)}"]  # fmt: skip
    subprocess.run(command, cwd=HERE, env=environment, check=True)


def load(cluster: Cluster) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for part, tag in product(PARTS, (TAG, NEXT_TAG)):
        archive = FOLDER / f"{part}.tar"
        image = f"{REPOSITORY}/{part}"
        command = ["buildah", "push", "--quiet", f"{image}:{TAG}", f"oci-archive:{archive}:{image}:{tag}"]
        subprocess.run(command, check=True)
        cluster.load(archive)
        archive.unlink()


def _base() -> None:
    if subprocess.run(["buildah", "inspect", BASE], capture_output=True, check=False).returncode == 0:
        return
    root = FOLDER / "root"
    shutil.rmtree(root, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    packages = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(
        ["debootstrap", "--variant=minbase", packages, "bookworm", root],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    container = subprocess.run(
        ["buildah", "from", "scratch"], check=True, capture_output=True, text=True
    ).stdout.strip()
    subprocess.run(["buildah", "add", "--quiet", container, root, "/"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["buildah", "commit", "--quiet", "--rm", container, BASE], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root)
