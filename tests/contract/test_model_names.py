import pytest

from contract.model_names import may_name

LLAMA = ("llama", "meta-llama/Llama-3.1-8B-Instruct")


@pytest.mark.parametrize(
    "given",
    [
        "llama",
        "meta-llama/Meta-Llama-3.1-8B-Instruct",
        "unsloth/meta-llama-3.1-8b-instruct-unsloth-bnb-4bit",
        "hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4",
        "~/.cache/huggingface/hub/models--meta-llama--Llama-3.1-8B-Instruct/snapshots/0e9e39f2/",
        "/mnt/workspace/LLM-Research/Meta-Llama-3___1-8B-Instruct/",
    ],
)
def test_a_mirror_a_twin_and_a_path_may_name_the_model(given: str) -> None:
    assert may_name(given, LLAMA)


@pytest.mark.parametrize("given", ["", "meta-llama/Llama-3.2-3B-Instruct", "Qwen/Qwen2.5-7B", "./out/checkpoint-500"])
def test_another_name_does_not(given: str) -> None:
    assert not may_name(given, LLAMA)
