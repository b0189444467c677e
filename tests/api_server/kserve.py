"""KServe's own controller against the test's API server, compiled once from its Go module, which has its kinds too."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from operators.local.layout import free_port
from tests.api_server.binaries import Go, built
from tests.api_server.parts import answers, namespace, wait_until
from tests.api_server.server import HOST, ApiServer

VERSION = "0.16.0"
KINDS = ("inferenceservices", "servingruntimes", "clusterservingruntimes", "trainedmodels", "inferencegraphs")
_QUANTITIES = {"memoryRequest": "1Mi", "memoryLimit": "1Gi", "cpuRequest": "1m", "cpuLimit": "1",
               "cpuModelcar": "1m", "memoryModelcar": "1Mi"}  # fmt: skip


def manager() -> Path:
    """The folder with the controller and its kinds. Skips the test where it cannot be compiled."""
    return built(f"kserve-{VERSION}", _compile)


@contextmanager
def kserve(server: ApiServer, folder: Path) -> Iterator[None]:
    """Runs until the end of the block; what it made is deleted before."""
    program = manager()
    for kind in KINDS:
        server.kubectl("apply", "--server-side", "-f", str(program / f"serving.kserve.io_{kind}.yaml"))
    server.kubectl("wait", "--for=condition=Established", *(f"crd/{kind}.serving.kserve.io" for kind in KINDS))
    server.apply(namespace("kserve"), _configuration())
    probe = free_port()
    _certificate(folder / "k8s-webhook-server/serving-certs")
    command = [str(program / "manager"), f"--metrics-addr={HOST}:{free_port()}",
               f"--health-probe-addr={HOST}:{probe}", f"--webhook-port={free_port()}"]  # fmt: skip
    environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig), "TMPDIR": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: answers(f"http://{HOST}:{probe}/readyz"), "KServe")
            yield
            server.kubectl("delete", "inferenceservices", "--all", "--all-namespaces", "--timeout=30s")
        finally:
            process.kill()
            process.wait()


def _compile(go: Go, work: Path) -> None:
    module = f"github.com/kserve/kserve@v{VERSION}"
    (work / "go.mod").write_text("module tools\ngo 1.25.0\n")
    found = json.loads(go("mod", "download", "-json", module))
    lines = Path(found["GoMod"]).read_text().splitlines()
    replaces = "\n".join(f"replace {line.strip().removeprefix('replace ')}" for line in lines if " => " in line)
    required = f"require github.com/kserve/kserve v{VERSION}"
    (work / "go.mod").write_text(f"module tools\ngo 1.25.0\n{required}\n{replaces}\n")
    (work / "tools.go").write_text(
        '//go:build tools\n\npackage tools\n\nimport _ "github.com/kserve/kserve/cmd/manager"\n'
    )
    go("mod", "tidy", "-e")
    go("build", "-trimpath", "-ldflags", "-s -w", "-o", f"{work}/bin/", "github.com/kserve/kserve/cmd/manager")
    for kind in KINDS:
        name = f"serving.kserve.io_{kind}.yaml"
        shutil.copyfile(Path(found["Dir"]) / "config/crd/full" / name, work / "bin" / name)


def _configuration() -> dict[str, object]:
    """The least with which a predictor of one's own gets ready."""
    data = {
        "storageInitializer": {"image": "none", **_QUANTITIES},
        "ingress": {"ingressGateway": "kserve/none", "disableIngressCreation": True},
        "deploy": {"defaultDeploymentMode": "Standard"},
        "inferenceService": {},
    }
    metadata = {"name": "inferenceservice-config", "namespace": "kserve"}
    values = {key: json.dumps(value) for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": values}


def _certificate(folder: Path) -> None:
    """It serves webhooks whether they are registered or not."""
    folder.mkdir(parents=True)
    found = trustme.CA().issue_cert(HOST, common_name=secrets.token_hex(4))
    found.private_key_pem.write_to_path(folder / "tls.key")
    found.cert_chain_pems[0].write_to_path(folder / "tls.crt")
