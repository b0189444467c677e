"""The command line of every process of a local run (pure): the same commands that run in pods.

What is ours converges after a crash at any line, so it may be killed with the runner. An engine has workers of its own
to take along, and Milvus is not ours: these are asked.
"""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from operators.api.base_model import BaseModel
from operators.desired.engine_vllm import engine_command
from operators.local.layout import LOOPBACK, Layout, url
from operators.local.process import ProcessSpec

# An engine takes every core it is given; those who decide and route need little, and need it now. Nobody waits for
# what is indexed or tested in the background.
ENGINE_NICE = 5
BACKGROUND_NICE = 10


@dataclass(frozen=True)
class Replica:
    """The ports of one engine and its agent."""

    engine_port: int
    agent_port: int


def engine(layout: Layout, base: BaseModel, replica: Replica) -> ProcessSpec:
    command = engine_command(
        base,
        python=str(layout.engine_python),
        host=LOOPBACK,
        port=replica.engine_port,
        api_key=layout.engine_token,
    )
    environment = {**layout.environment, **layout.fetching, **command.environment}
    return ProcessSpec(f"engine-{base.name}", command.arguments, environment, orphaned=signal.SIGTERM, nice=ENGINE_NICE)


def agent(layout: Layout, base: BaseModel, replica: Replica) -> ProcessSpec:
    return _python(layout, f"agent-{base.name}", "serving.agent", "QUIVER_AGENT_", {
        "PORT": replica.agent_port,
        "TOKEN": layout.internal_token,
        "STORE": layout.state / "store" / base.name,
        "ENGINE_URL": url(replica.engine_port),
        "ENGINE_API_KEY": layout.engine_token,
        "BASE_MODEL": base.name,
        "BASE_SOURCE": base.spec.source,
        "HUB_CACHE": _hub_cache(layout),
        "MAX_RANK": base.spec.lora.max_rank,
        "FILE_ROOTS": '["/"]',  # whoever writes the objects here owns the machine's files as well
        "ALLOW_PRIVATE_SOURCES": "true",
    })  # fmt: skip


def _hub_cache(layout: Layout) -> Path:
    """https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables#hfhome"""
    home = layout.environment.get("HF_HOME") or Path(layout.environment.get("HOME", "/"), ".cache", "huggingface")
    return Path(home, "hub")


def services(layout: Layout) -> tuple[ProcessSpec, ...]:
    """Everything that does not depend on a base model."""
    return (_milvus(layout), _ingest(layout), _retrieval(layout), _drift(layout), _gateway(layout))


def _milvus(layout: Layout) -> ProcessSpec:
    data = str(layout.state / "milvus")
    address = ("--host", LOOPBACK, "--port", str(layout.milvus_port))
    arguments = (sys.executable, "-m", "milvus_lite", "server", "--data-dir", data, *address)
    return ProcessSpec("milvus", arguments, layout.environment, orphaned=signal.SIGTERM)


def _ingest(layout: Layout) -> ProcessSpec:
    return _python(layout, "ingest", "retrieval.ingest", "QUIVER_INGEST_", {
        "PORT": layout.ingest_port,
        "TOKEN": layout.internal_token,
        "MILVUS_URI": url(layout.milvus_port),
        "EMBEDDER": layout.embedder,
        "LEDGER": layout.state / "ingest.sqlite",
    }, nice=BACKGROUND_NICE)  # fmt: skip


def _retrieval(layout: Layout) -> ProcessSpec:
    return _python(layout, "retrieval", "retrieval", "QUIVER_RETRIEVAL_", {
        "PORT": layout.retrieval_port,
        "TOKEN": layout.internal_token,
        "MILVUS_URI": url(layout.milvus_port),
        "EMBEDDER": layout.embedder,
    })  # fmt: skip


def _drift(layout: Layout) -> ProcessSpec:
    return _python(layout, "drift", "serving.drift", "QUIVER_DRIFT_", {
        "PORT": layout.drift_port,
        "TOKEN": layout.internal_token,
        "STATE": layout.state / "drift",
    }, nice=BACKGROUND_NICE, OPENBLAS_NUM_THREADS="1")  # fmt: skip


def _gateway(layout: Layout) -> ProcessSpec:
    return _python(layout, "gateway", "serving.gateway", "QUIVER_GATEWAY_", {
        "PORT": layout.gateway_port,
        "INTERNAL_PORT": layout.internal_port,
        "INTERNAL_TOKEN": layout.internal_token,
        "SNAPSHOT": layout.snapshot,
        "ENGINE_API_KEY": layout.engine_token,
        "RETRIEVAL_URL": url(layout.retrieval_port),
        "RETRIEVAL_TOKEN": layout.internal_token,
        "DRIFT_URL": url(layout.drift_port),
        "DRIFT_TOKEN": layout.internal_token,
    })  # fmt: skip


def _python(
    layout: Layout,
    name: str,
    module: str,
    prefix: str,
    settings: Mapping[str, object],
    *,
    nice: int = 0,
    **environment: str,
) -> ProcessSpec:
    own = {f"{prefix}{key}": str(value) for key, value in {"HOST": LOOPBACK, **settings}.items()}
    return ProcessSpec(name, (sys.executable, "-m", module), {**layout.environment, **own, **environment}, nice=nice)
