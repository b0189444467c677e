"""The command line of one vLLM engine (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.base_model import BaseModel
from contract.engine_memory import STORE

# Objects cannot change these: adapters need runtime loading, and no engine may send usage statistics.
ENVIRONMENT: Mapping[str, str] = {
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
# Only with this grammar compiler do vLLM's parsers accept tool calls. White space between JSON tokens is forbidden: a
# model allowed to write it may never stop.
STRUCTURED_OUTPUTS = '{"backend": "xgrammar", "disable_any_whitespace": true}'
API_SERVER = "vllm.entrypoints.openai.api_server"


@dataclass(frozen=True)
class Command:
    """A process to start: arguments, and additions to its environment."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def on_port(host: str, port: int) -> tuple[str, ...]:
    return ("--host", host, "--port", str(port))


def on_socket(path: Path) -> tuple[str, ...]:
    """Access is controlled by the directory's permissions."""
    return ("--uds", str(path))


def engine_command(base: BaseModel, *, python: str, listen: Sequence[str], api_key: str, store: str) -> Command:
    """One engine with runtime LoRA. The key is in its environment, because process lists show arguments. `listen` are
    vLLM's flags for the address: `on_port`, or `on_socket`. `store` is the directory of the agent's store.

    One API server per engine: vLLM refuses runtime LoRA with several (vllm/entrypoints/cli/serve.py).
    """
    spec = base.spec
    arguments = (
        python, "-m", API_SERVER,
        *_model(spec.source),
        "--served-model-name", base.name,
        *listen,
        "--enable-lora",
        "--max-loras", str(spec.lora.slots),
        "--max-cpu-loras", str(spec.lora.cpu_slots),
        "--max-lora-rank", str(spec.lora.max_rank),
        "--max-model-len", str(spec.max_model_length),
        "--dtype", spec.dtype,
        "--disable-uvicorn-access-log",
        "--structured-outputs-config", STRUCTURED_OUTPUTS,
        *_parsing(base),
        *spec.engine_args,
    )  # fmt: skip
    return Command(arguments, {**spec.engine_env, **ENVIRONMENT, "VLLM_API_KEY": api_key, STORE: store})


def _model(source: str) -> tuple[str, ...]:
    """vLLM has a separate flag for the revision of a model on the hub."""
    if not source.startswith("hf://"):
        return ("--model", source.removeprefix("file://"))
    name, _, revision = source.removeprefix("hf://").partition("@")
    return ("--model", name, "--revision", revision) if revision else ("--model", name)


def _parsing(base: BaseModel) -> tuple[str, ...]:
    """The engine's parsers and templates for the model."""
    spec = base.spec
    tools = ("--enable-auto-tool-choice", "--tool-call-parser", spec.tool_parser) if spec.tool_parser else ()
    reasoning = ("--reasoning-parser", spec.reasoning_parser) if spec.reasoning_parser else ()
    template = ("--chat-template", spec.chat_template.removeprefix("file://")) if spec.chat_template else ()
    return (*tools, *reasoning, *template)
