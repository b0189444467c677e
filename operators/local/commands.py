"""The command line of every process of a local run (pure): the same commands as in pods.

If the runner dies, our own services get SIGKILL, which does them no harm at any point. Engines get SIGTERM, because
they have workers to stop, and so does Milvus, because it is not ours.
"""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.base_model import BaseModel
from operators.desired.engine_vllm import engine_command, on_socket
from operators.desired.evaluation import EvaluationJob
from operators.desired.job import Job
from operators.desired.jobs import AnyJob
from operators.desired.training import TrainingJob
from operators.local.layout import LOOPBACK, Layout, url
from operators.local.process import ProcessSpec
from service.addresses import UNIX

# Engines use every core. Gateway and controllers need little CPU, but immediately. Indexing and drift tests can wait.
ENGINE_NICE = 5
BACKGROUND_NICE = 10
TRAINING_NICE = 19


@dataclass(frozen=True)
class Replica:
    """One engine on a private socket, and its agent on a port."""

    name: str
    engine_socket: Path
    agent_port: int

    @property
    def engine_url(self) -> str:
        return f"{UNIX}{self.engine_socket}"


def engine(layout: Layout, base: BaseModel, replica: Replica) -> ProcessSpec:
    command = engine_command(
        base,
        python=str(layout.engine_python),
        listen=on_socket(replica.engine_socket),
        api_key=layout.tokens["engine"],
        store=str(layout.stores / replica.name),
    )
    environment = {**layout.environment, **layout.fetching, **command.environment}
    return ProcessSpec(
        f"engine-{replica.name}",
        command.arguments,
        environment,
        orphaned=signal.SIGTERM,
        nice=ENGINE_NICE,
        removes=(replica.engine_socket,),
    )


def agent(layout: Layout, base: BaseModel, replica: Replica) -> ProcessSpec:
    return _python(layout, f"agent-{replica.name}", "serving.agent", "QUIVER_AGENT_", {
        "PORT": replica.agent_port,
        "TOKEN": layout.tokens["runner-agent"],
        "STORE": layout.stores / replica.name,
        "ENGINE_URL": replica.engine_url,
        "ENGINE_API_KEY": layout.tokens["engine"],
        "BASE_MODEL": base.name,
        "BASE_SOURCE": base.spec.source,
        "HUB_CACHE": _hub_cache(layout),
        "MAX_RANK": base.spec.lora.max_rank,
        "FILE_ROOTS": '["/"]',  # whoever writes the objects can read this machine's files anyway
        "ALLOW_PRIVATE_SOURCES": "true",
    })  # fmt: skip


def _hub_cache(layout: Layout) -> Path:
    """https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables#hfhome"""
    home = layout.environment.get("HF_HOME") or Path(layout.environment.get("HOME", "/"), ".cache", "huggingface")
    return Path(home, "hub")


def services(layout: Layout) -> tuple[ProcessSpec, ...]:
    """All services not belonging to a base model."""
    return (
        _milvus(layout),
        _ingest(layout),
        _retrieval(layout),
        _drift(layout),
        _gateway(layout),
        _management(layout),
        _console(layout),
    )


def fetch(layout: Layout, job: Job) -> ProcessSpec:
    """Fetches the inputs of a job, as an agent fetches an adapter."""
    settings = {"QUIVER_AGENT_FILE_ROOTS": '["/"]', "QUIVER_AGENT_ALLOW_PRIVATE_SOURCES": "true"}
    credentials = {"QUIVER_AGENT_CREDENTIALS": job.credentials} if job.credentials else {}
    gateway = {"QUIVER_AGENT_GATEWAY_URL": url(layout.gateway_port), "QUIVER_AGENT_GATEWAY_TOKEN": job.token}
    environment = {**layout.environment, **settings, **credentials, **(gateway if job.data.upload else {})}
    command = (sys.executable, "-m", "serving.agent.fetch", *job.fetch_arguments(str(layout.jobs)))
    return ProcessSpec(_called(job), command, environment, nice=BACKGROUND_NICE)


def work(layout: Layout, job: AnyJob) -> ProcessSpec:
    match job:
        case TrainingJob():
            return _train(layout, job)
        case EvaluationJob():
            return _evaluate(layout, job)


def _evaluate(layout: Layout, job: EvaluationJob) -> ProcessSpec:
    arguments = job.arguments(str(layout.jobs), url(layout.gateway_port))
    environment = {**layout.environment, "QUIVER_API_KEY": job.token}
    command = (sys.executable, "-m", "operators.evaluation", *arguments)
    return ProcessSpec(_called(job), command, environment, nice=BACKGROUND_NICE)


def _train(layout: Layout, job: TrainingJob) -> ProcessSpec:
    """At a low priority, since it takes every core for minutes."""
    arguments = job.arguments(str(layout.jobs), job.base)
    teaching = job.teaching_arguments(str(layout.jobs), url(layout.gateway_port))
    taught = (sys.executable, "-m", "operators.evaluation.teaching", *teaching) if teaching else ()
    command = (*taught, str(layout.engine_python), "-m", "tuning.trainer.job", *arguments)
    key = {"QUIVER_API_KEY": job.token} if job.asks else {}
    environment = {**layout.environment, **layout.fetching, **key, "PYTHONDONTWRITEBYTECODE": "1"}
    return ProcessSpec(_called(job), command, environment, nice=TRAINING_NICE)


def _called(job: Job) -> str:
    return f"{job.key.kind.lower()}-{job.key.namespace}.{job.key.name}"


def address(layout: Layout, service: str) -> str | None:
    """The address of a service's liveness check; None for Milvus, which has no HTTP."""
    ports = {
        "ingest": layout.ingest_port,
        "retrieval": layout.retrieval_port,
        "drift": layout.drift_port,
        "gateway": layout.internal_port,
        "management": layout.management_port,
        "console": layout.console_port,
    }
    return url(ports[service]) if service in ports else None


def _milvus(layout: Layout) -> ProcessSpec:
    """On a Unix socket: Milvus asks for no token, and every user of the machine can connect to a port."""
    data = str(layout.state / "milvus")
    host, _, port = layout.milvus_uri.rpartition(":")
    arguments = (sys.executable, "-m", "milvus_lite", "server", "--data-dir", data, "--host", host, "--port", port)
    socket = Path(layout.milvus_uri.removeprefix(UNIX))
    return ProcessSpec("milvus", arguments, layout.environment, orphaned=signal.SIGTERM, removes=(socket,))


def _ingest(layout: Layout) -> ProcessSpec:
    return _python(layout, "ingest", "retrieval.ingest", "QUIVER_INGEST_", {
        "PORT": layout.ingest_port,
        "TOKEN": f"{layout.tokens['runner-ingest']},{layout.tokens['gateway-ingest']}",
        "DATABASE": f"sqlite:///{layout.state / 'documents.sqlite'}",
        "OBJECTS": layout.state / "uploads",
        "SIGNING_FILE": layout.state / "deletions.pem",
        "MILVUS_URI": layout.milvus_uri,
        **layout.embedder,
        "LEDGER": layout.state / "ingest.sqlite",
    }, nice=BACKGROUND_NICE)  # fmt: skip


def _retrieval(layout: Layout) -> ProcessSpec:
    return _python(layout, "retrieval", "retrieval", "QUIVER_RETRIEVAL_", {
        "PORT": layout.retrieval_port,
        "TOKEN": layout.tokens["gateway-retrieval"],
        "MILVUS_URI": layout.milvus_uri,
        **layout.embedder,
    })  # fmt: skip


def _drift(layout: Layout) -> ProcessSpec:
    return _python(layout, "drift", "serving.drift", "QUIVER_DRIFT_", {
        "PORT": layout.drift_port,
        "TOKEN": f"{layout.tokens['runner-drift']},{layout.tokens['gateway-drift']}",
        "STATE": layout.state / "drift",
    }, nice=BACKGROUND_NICE, environment={"OPENBLAS_NUM_THREADS": "1"})  # fmt: skip


def _gateway(layout: Layout) -> ProcessSpec:
    return _python(layout, "gateway", "serving.gateway", "QUIVER_GATEWAY_", {
        "PORT": layout.gateway_port,
        "INTERNAL_PORT": layout.internal_port,
        "INTERNAL_TOKEN": layout.tokens["runner-gateway"],
        "SNAPSHOT": layout.snapshot,
        "ENGINE_API_KEY": layout.tokens["engine"],
        "RETRIEVAL_URL": url(layout.retrieval_port),
        "RETRIEVAL_TOKEN": layout.tokens["gateway-retrieval"],
        "DOCUMENTS_URL": url(layout.ingest_port),
        "DOCUMENTS_TOKEN": layout.tokens["gateway-ingest"],
        "DRIFT_URL": url(layout.drift_port),
        "DRIFT_TOKEN": layout.tokens["gateway-drift"],
        "MANAGEMENT_SECRET": layout.tokens["management-gateway"],
    }, INTERNAL_SOCKET=layout.internal_port)  # fmt: skip


def _management(layout: Layout) -> ProcessSpec:
    return _python(layout, "management", "operators.management", "QUIVER_MANAGEMENT_", {
        "PORT": layout.management_port,
        "DIRECTORY": layout.root,
        "DATABASE": f"sqlite:///{layout.state / 'management.sqlite'}",
        "GATEWAY_URL": url(layout.gateway_port),
        "SECRET": layout.tokens["management-gateway"],
        "PLATFORM_KEY": layout.tokens["platform"],
        "CONSOLE_TOKEN": layout.tokens["console-management"],
    })  # fmt: skip


def _console(layout: Layout) -> ProcessSpec:
    return _python(layout, "console", "console", "QUIVER_CONSOLE_", {
        "PORT": layout.console_port,
        "MANAGEMENT_URL": url(layout.management_port),
        "MANAGEMENT_TOKEN": layout.tokens["console-management"],
        "GATEWAY_URL": url(layout.gateway_port),
    })  # fmt: skip


def _python(
    layout: Layout,
    name: str,
    module: str,
    prefix: str,
    settings: Mapping[str, object],
    *,
    nice: int = 0,
    environment: Mapping[str, str] | None = None,
    **more_sockets: object,
) -> ProcessSpec:
    """`more_sockets` are ports beside PORT, by the setting for their descriptor."""
    shared = {"HOST": LOOPBACK, "METRICS_TOKEN": layout.tokens["metrics"]}
    own = {f"{prefix}{key}": str(value) for key, value in {**shared, **settings}.items()}
    listens = {f"{prefix}{key}": int(str(port)) for key, port in {"SOCKET": settings["PORT"], **more_sockets}.items()}
    return ProcessSpec(
        name,
        (sys.executable, "-m", module),
        {**layout.environment, **own, **(environment or {})},
        nice=nice,
        listens=listens,
    )
