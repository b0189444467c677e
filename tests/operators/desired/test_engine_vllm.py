from typing import Any

import pytest

from operators.api.base_model import BaseModel
from operators.api.objects import InvalidObjectError
from operators.desired.engine_vllm import engine_command, on_port
from tests.operators import objects


def _command(**spec: Any) -> tuple[tuple[str, ...], dict[str, str]]:
    base = objects.base_model(**spec)
    assert isinstance(base, BaseModel)
    command = engine_command(base, python="python", listen=on_port("127.0.0.1", 9), api_key="secret")
    return command.arguments, dict(command.environment)


def _value(arguments: tuple[str, ...], flag: str) -> str:
    return arguments[arguments.index(flag) + 1]


def test_the_object_decides_the_engines_flags() -> None:
    arguments, _ = _command(maxModelLength=512, lora={"maxRank": 32, "slots": 2, "cpuSlots": 7}, engineArgs=["--x"])
    assert _value(arguments, "--model") == "org/base"
    assert _value(arguments, "--served-model-name") == "base"
    assert _value(arguments, "--max-lora-rank") == "32"
    assert _value(arguments, "--max-loras") == "2"
    assert _value(arguments, "--max-cpu-loras") == "7"
    assert _value(arguments, "--max-model-len") == "512"
    assert arguments[-1] == "--x"


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


def test_an_object_cannot_turn_runtime_loading_off_or_choose_the_key() -> None:
    _, environment = _command(engineEnv={"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "False", "VLLM_API_KEY": "mine", "X": "1"})
    assert environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
    assert environment["VLLM_API_KEY"] == "secret"
    assert environment["X"] == "1"


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
