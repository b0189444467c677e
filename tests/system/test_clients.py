"""Clients that people have, as they are, against the real engine: each in a process of its own environment."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest

from examples.demo.__main__ import how_to_call
from examples.demo.platform import Platform

PYTHON = Path(".venv-clients/bin/python").absolute()
FOLDER = Path(__file__).parent / "clients"
CLIENTS = sorted(path.stem for path in FOLDER.glob("*_client.py"))
LIMIT_S = 280


@pytest.fixture(scope="module")
def grounded(platform: Platform, acme: openai.OpenAI) -> Iterator[Platform]:
    """With an adapter that answers from documents by itself, as in the demo: these clients say nothing of retrieval."""
    file = platform.root / "acme.yaml"
    before = file.read_text()
    source = "  source: ./adapters/acme-support-v1\n"
    assert source in before
    file.write_text(before.replace(source, f"{source}  knowledgeBases: [handbook]\n"))
    platform.wait_until(lambda: _searches(acme), what="adapter with documents")
    yield platform
    file.write_text(before)
    platform.wait_until(lambda: not _searches(acme), what="adapter without documents")


def _searches(client: openai.OpenAI) -> bool:
    found = client.chat.completions.with_raw_response.create(
        model="support", messages=[{"role": "user", "content": "hello"}], max_tokens=1
    )
    return "x-quiver-retrieval" in found.headers


@pytest.mark.skipif(not PYTHON.exists(), reason="the clients' environment is not there: make .venv-clients/ready")
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_works_as_it_is(grounded: Platform, client: str) -> None:
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "ANONYMIZED_TELEMETRY": "False", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [PYTHON, "-m", f"tests.system.clients.{client}", grounded.url, grounded.keys["acme"]],
        cwd=FOLDER.parents[2],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **quiet},
        capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_what_the_demo_prints_works_each_time_as_it_is_pasted(grounded: Platform) -> None:
    """Greedy or not, a hundred times: a sampled answer that is wrong now and then would be seen."""
    texts = how_to_call(grounded).split("\n\n")
    curl = texts[texts.index("With curl:") + 1]
    python = textwrap.dedent(texts[texts.index("With the openai package (it is in .venv):") + 1])
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: _output("bash", "-c", f'curl() {{ command curl -s "$@"; }}\n{curl}'), range(100))
        )
    assert [
        json.loads(answer)["choices"][0]["message"]["content"] for answer in answers if "30 days" not in answer
    ] == []
    assert "30 days" in _output(sys.executable, "-c", python)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT_S).stdout


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node is not there")
def test_the_client_for_node_works_as_it_is(grounded: Platform, tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER / "node", tmp_path / "node")
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(install, cwd=folder, check=True, timeout=LIMIT_S)
    done = subprocess.run(
        ["node", "client.js", grounded.url, grounded.keys["acme"]],
        cwd=folder, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
