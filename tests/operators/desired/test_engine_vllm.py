import re
from typing import Any

import pytest

from contract.base_model import BaseModel
from contract.objects import InvalidObjectError
from operators.desired.engine_vllm import engine_command, on_port
from tests.operators import objects


def _command(**spec: Any) -> tuple[tuple[str, ...], dict[str, str]]:
    base = objects.base_model(**spec)
    assert isinstance(base, BaseModel)
    command = engine_command(base, python="python", listen=on_port("127.0.0.1", 9), api_key="secret", store="/store")
    return command.arguments, dict(command.environment)


def _value(arguments: tuple[str, ...], flag: str) -> str:
    return arguments[arguments.index(flag) + 1]


def test_the_object_decides_the_engines_flags() -> None:
    arguments, _ = _command(
        maxModelLength=512, lora={"maxRank": 32, "slots": 2, "cpuSlots": 7}, engineArgs=["--seed=7"]
    )
    assert _value(arguments, "--model") == "org/base"
    assert _value(arguments, "--served-model-name") == "base"
    assert _value(arguments, "--max-lora-rank") == "32"
    assert _value(arguments, "--max-loras") == "2"
    assert _value(arguments, "--max-cpu-loras") == "7"
    assert _value(arguments, "--max-model-len") == "512"
    assert arguments[-1] == "--seed=7"


def test_a_revision_of_a_model_on_the_hub_is_the_one_that_is_served() -> None:
    arguments, _ = _command(source="hf://org/model@v1.2")
    assert (_value(arguments, "--model"), _value(arguments, "--revision")) == ("org/model", "v1.2")
    assert "--revision" not in _command(source="hf://org/model")[0]


@pytest.mark.parametrize("source", ["ftp://x", "https://example.com/model", "s3://bucket/model", "hf://", ""])
def test_where_no_engine_finds_a_model_is_refused(source: str) -> None:
    with pytest.raises(InvalidObjectError, match="source"):
        _command(source=source)


def test_the_key_is_in_no_process_list() -> None:
    arguments, environment = _command()
    assert "secret" not in " ".join(arguments)
    assert environment["VLLM_API_KEY"] == "secret"


@pytest.mark.parametrize(
    "name",
    ["VLLM_ALLOW_RUNTIME_LORA_UPDATING", "VLLM_API_KEY", "LD_PRELOAD", "PYTHONPATH", "PATH", "VLLM_PLUGINS", "X",
     "CUDA_INJECTION64_PATH", "NCCL_NET_PLUGIN", "VLLM_SERVER_DEV_MODE", "VLLM_LOGGING_CONFIG_PATH",
     "TRITON_CACHE_MANAGER", "HF_HUB_CACHE", "HSA_TOOLS_LIB", "OMP_TOOL_LIBRARIES", "NVIDIA_VISIBLE_DEVICES",
     "HF_ENDPOINT", "HF_HOME", "VLLM_CONFIG_ROOT"],
)  # fmt: skip
def test_an_object_sets_no_variable_that_runs_code_or_undoes_isolation(name: str) -> None:
    with pytest.raises(InvalidObjectError, match=f"{name} is none of the variables"):
        _command(engineEnv={name: "1"})


def test_variables_of_vllm_and_of_what_it_computes_with_are_passed_on() -> None:
    wanted = {"VLLM_CPU_KVCACHE_SPACE": "4", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2", "HTTPS_PROXY": "http://p"}
    _, environment = _command(engineEnv=wanted)
    assert wanted.items() <= environment.items()


@pytest.mark.parametrize(
    "word",
    ["--worker-cls=x", "--worker-extension-cls", "--middleware", "--plugins", "--logits-processors", "-O3", "--host",
     "--kv-transfer-config", "--download-dir", "--tool-parser-plugin", "--config", "--model", "--max_loras=9",
     "--seedx"],
)  # fmt: skip
def test_an_argument_that_is_not_allowed_is_refused_by_name(word: str) -> None:
    with pytest.raises(InvalidObjectError, match=re.escape(word)):
        _command(engineArgs=[word, "value"])


@pytest.mark.parametrize(
    "words",
    [
        ["--no-enable-prefix-caching"],
        ["--max_num_seqs", "8"],
        ["--limit-mm-per-prompt", '{"image": 2}'],
        ["--seed", "-1"],
    ],
)
def test_arguments_of_speed_and_room_are_passed_on(words: list[str]) -> None:
    assert _command(engineArgs=words)[0][-len(words) :] == tuple(words)


def test_the_engine_writes_no_line_for_each_request() -> None:
    assert "--disable-uvicorn-access-log" in _command()[0]


def test_how_the_engine_reads_and_writes_comes_from_fields() -> None:
    plain, _ = _command()
    assert not {"--enable-auto-tool-choice", "--reasoning-parser", "--chat-template"} & set(plain)
    arguments, _ = _command(toolParser="hermes", reasoningParser="qwen3", chatTemplate="file:///templates/a.jinja")
    assert "--enable-auto-tool-choice" in arguments
    assert _value(arguments, "--tool-call-parser") == "hermes"
    assert _value(arguments, "--reasoning-parser") == "qwen3"
    assert _value(arguments, "--chat-template") == "/templates/a.jinja"


@pytest.mark.parametrize(
    "word", ["--tool-call-parser", "--enable_auto_tool_choice", "--reasoning-parser=x", "--chat-template"]
)
def test_what_has_a_field_is_no_argument(word: str) -> None:
    with pytest.raises(InvalidObjectError, match="toolParser"):
        _command(engineArgs=[word])
