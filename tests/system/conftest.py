"""One platform for all system tests: the demo's objects on the real engine, the real store, the real processes.

Every test leaves it as it found it. The held-out questions' passages are a knowledge base of their own.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from examples.demo.platform import Platform, copy_objects, running
from models.demo.corpus import Example, held_out
from operators.settings import Settings

REPOSITORY = Path(__file__).parents[2]
QUESTIONS = 500
SEED = 20_261_120

FACTS = """
apiVersion: quiver.dev/v1alpha1
kind: KnowledgeBase
metadata: {name: facts, namespace: acme}
spec:
  sources: [{path: ./documents/facts}]
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    settings = Settings()
    if settings.engine_python.is_file() and (settings.embedder / "model.onnx").is_file():
        return
    for item in items:
        if "tests/system" in str(item.path):
            item.add_marker(pytest.mark.skip(reason="the engine's environment is not there: make setup"))


@pytest.fixture(scope="session")
def questions() -> list[Example]:
    return held_out(QUESTIONS, SEED)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, questions: list[Example]) -> Iterator[Platform]:
    root = copy_objects(tmp_path_factory.mktemp("system") / "objects")
    _localize(root)
    (root / "facts.yaml").write_text(FACTS)
    _write_documents(root / "documents" / "facts", questions)
    with running(root, tenants=("acme", "globex"), out=sys.stderr) as found:
        found.wait_until_ready()
        yield found


def _localize(root: Path) -> None:
    """The models stay where they are; adapters are copied, so that a test may edit them."""
    shutil.copytree(REPOSITORY / "models" / "demo" / "adapters", root / "adapters")
    for file in root.glob("*.yaml"):
        text = file.read_text().replace("../../models/demo/adapters", "./adapters")
        file.write_text(text.replace("../../models/demo/base", str(REPOSITORY / "models" / "demo" / "base")))


def _write_documents(directory: Path, questions: list[Example]) -> None:
    """Ten questions' passages to a file, a paragraph each."""
    directory.mkdir(parents=True)
    for number in range(0, len(questions), 10):
        passages = [passage for example in questions[number : number + 10] for passage in example.passages]
        (directory / f"{number:04}.md").write_text("\n\n".join(passages))


@pytest.fixture(scope="session")
def acme(platform: Platform) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=platform.url, api_key=platform.keys["acme"], max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def globex(platform: Platform) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=platform.url, api_key=platform.keys["globex"], max_retries=0, timeout=60) as client:
        yield client
