"""The command line of one vLLM engine (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.base_model import BaseModel

# Not for an object to change: without runtime loading there are no adapters, and no engine reports home.
ENVIRONMENT: Mapping[str, str] = {
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
# The only compiler for calls of tools as vLLM's parsers ask for them. White space between JSON's words is left out: a
# model that may write it may write it without end.
STRUCTURED_OUTPUTS = '{"backend": "xgrammar", "disable_any_whitespace": true}'
API_SERVER = "vllm.entrypoints.openai.api_server"


@dataclass(frozen=True)
class Command:
    """A process to be: arguments, and what its environment holds beyond the parent's."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def on_port(host: str, port: int) -> tuple[str, ...]:
    return ("--host", host, "--port", str(port))


def on_socket(path: Path) -> tuple[str, ...]:
    """Who may reach it is what the directory says."""
    return ("--uds", str(path))


def engine_command(base: BaseModel, *, python: str, listen: Sequence[str], api_key: str) -> Command:
    """One engine with runtime LoRA, the key in its environment so that no process list shows it. `listen` are vLLM's
    flags for where: `on_port`, or `on_socket`.

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
    return Command(arguments, {**spec.engine_env, **ENVIRONMENT, "VLLM_API_KEY": api_key})


def _model(source: str) -> tuple[str, ...]:
    """A revision of a model on the hub is a flag of its own."""
    if not source.startswith("hf://"):
        return ("--model", source.removeprefix("file://"))
    name, _, revision = source.removeprefix("hf://").partition("@")
    return ("--model", name, "--revision", revision) if revision else ("--model", name)


def _parsing(base: BaseModel) -> tuple[str, ...]:
    """How the engine reads what the model writes, and writes what it reads."""
    spec = base.spec
    tools = ("--enable-auto-tool-choice", "--tool-call-parser", spec.tool_parser) if spec.tool_parser else ()
    reasoning = ("--reasoning-parser", spec.reasoning_parser) if spec.reasoning_parser else ()
    template = ("--chat-template", spec.chat_template.removeprefix("file://")) if spec.chat_template else ()
    return (*tools, *reasoning, *template)
