"""Edits to the files: what is right takes hold at once, what is wrong is named and harms nothing else."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from examples.demo.platform import QUIVER, Platform, create_key

HELLO: Any = [{"role": "user", "content": "hello"}]
KEY_REMOVED_S = 5.0

ADAPTER = """
apiVersion: quiver.dev/v1alpha1
kind: Adapter
metadata: {{name: trial, namespace: acme}}
spec: {{baseModel: {base}, source: {source}}}
"""


def _get(platform: Platform) -> str:
    return subprocess.run([QUIVER, "get", str(platform.root)], check=True, capture_output=True, text=True).stdout


def _answers(client: openai.OpenAI, model: str = "api") -> bool:
    return bool(client.chat.completions.create(model=model, messages=HELLO, max_tokens=1).choices)


@contextmanager
def _file(path: Path, text: str) -> Iterator[None]:
    path.write_text(text)
    try:
        yield
    finally:
        path.unlink()


def test_a_key_answers_soon_after_it_is_made_and_not_after_it_is_removed(platform: Platform) -> None:
    key = create_key(platform.root, "acme", "short-lived")
    with openai.OpenAI(base_url=platform.url, api_key=key, max_retries=0) as client:
        platform.wait_until(lambda: not _refused(client), what="answer to a new key", limit_s=5)
        (platform.root / "key-acme-short-lived.yaml").unlink()
        platform.wait_until(lambda: _refused(client), what="refusal of a removed key", limit_s=KEY_REMOVED_S)


def _refused(client: openai.OpenAI) -> bool:
    try:
        client.models.list()
    except openai.AuthenticationError:
        return True
    return False


def _missing(directory: Path) -> None:
    shutil.rmtree(directory)


def _pickled(directory: Path) -> None:
    (directory / "adapter_model.safetensors").rename(directory / "adapter_model.bin")


def _config(**changes: Any) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        file = directory / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


def _cut(directory: Path) -> None:
    file = directory / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "fact"),
    [
        (_missing, "is not a directory"),
        (_pickled, "a pickle"),
        (_config(r=64), "rank 64 is above the base model's maxRank 16"),
        (_config(modules_to_save=["lm_head"]), "modules_to_save: the engine does not serve this"),
        (_cut, "its header describes"),
    ],
    ids=["missing", "pickle", "rank", "feature", "cut"],
)
def test_a_bad_adapter_is_named_with_its_fact_and_the_others_answer(
    platform: Platform, acme: openai.OpenAI, spoil: Callable[[Path], None], fact: str
) -> None:
    directory = platform.root / "adapters" / "trial"
    shutil.copytree(platform.root / "adapters" / "acme-api-v1", directory)
    spoil(directory)
    try:
        with _file(platform.root / "trial.yaml", ADAPTER.format(base="quiver-demo", source="./adapters/trial")):
            platform.wait_until(lambda: fact in _get(platform), what=f"the fact {fact!r}", limit_s=10)
            assert _answers(acme)
            with pytest.raises(openai.NotFoundError) as caught:
                _answers(acme, "trial")
            assert caught.value.code == "model_refused"
            assert "retry-after" not in caught.value.response.headers
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("kind: [", "not readable as YAML"),
        ("", "holds no object"),
        (ADAPTER.format(base="quiver-demo", source="x") + "colour: red", "is not a field of this kind"),
        (ADAPTER.format(base="missing", source="./adapters/acme-api-v1"), "there is no BaseModel missing"),
        (ADAPTER.format(base="quiver-demo", source="ftp://host/x"), "ftp://host/x is not a source here"),
        (ADAPTER.format(base="quiver-demo", source="x").replace("acme", "nowhere"), "no Tenant owns namespace nowhere"),
    ],
)
def test_a_bad_file_is_named_with_its_fact_and_everything_else_answers(
    platform: Platform, acme: openai.OpenAI, globex: openai.OpenAI, text: str, fact: str
) -> None:
    with _file(platform.root / "trial.yaml", text):
        platform.wait_until(lambda: fact in _get(platform), what=f"the fact {fact!r}", limit_s=10)
        assert _answers(acme)
        assert _answers(globex, "desk")
    platform.wait_until(lambda: fact not in _get(platform), what="the fact's end", limit_s=10)


def test_a_broken_edit_of_a_file_in_force_takes_nothing_down(platform: Platform, acme: openai.OpenAI) -> None:
    file = platform.root / "acme.yaml"
    text = file.read_text()
    for broken in ("", text[: len(text) // 2] + "\n  - [", text.replace("kind: Adapter", "kind: Adaptor", 1)):
        file.write_text(broken)
        try:
            platform.wait_until(lambda: "stays in force" in _get(platform), what="the broken file's name", limit_s=10)
            assert _answers(acme)
            assert _answers(acme, "support")
        finally:
            file.write_text(text)
        platform.wait_until(lambda: "stays in force" not in _get(platform), what="the mended file", limit_s=10)


def test_a_new_document_is_found_and_a_removed_one_is_not(platform: Platform, acme: openai.OpenAI) -> None:
    document = platform.root / "documents" / "acme" / "handbook" / "new.md"

    def found() -> bool:
        answer = acme.chat.completions.create(
            model="quiver-demo",
            messages=[{"role": "user", "content": "What is the garden deposit of the Wistram 7 lab?"}],
            max_tokens=16,
            temperature=0,
            extra_body={"retrieval": {"knowledge_bases": ["handbook"]}},
        )
        return any(note.url_citation.title == "new.md" for note in answer.choices[0].message.annotations or ())

    with _file(document, "The garden deposit of the Wistram 7 lab is 88 dollars."):
        platform.wait_until(found, what="the new document", limit_s=20)
    platform.wait_until(lambda: not found(), what="the end of the removed document", limit_s=20)


@pytest.mark.parametrize(
    ("name", "content", "fact"),
    [
        ("empty.md", b"", "empty.md"),
        ("corrupt.docx", b"not a zip", "corrupt.docx"),
        ("corrupt.pdf", b"%PDF-1.7 nothing", "corrupt.pdf"),
    ],
)
def test_a_bad_document_is_named_and_the_others_are_found(
    platform: Platform, acme: openai.OpenAI, name: str, content: bytes, fact: str
) -> None:
    path = platform.root / "documents" / "acme" / "handbook" / name
    path.write_bytes(content)
    try:
        platform.wait_until(lambda: fact in _get(platform), what=f"the document {name}", limit_s=20)
        answer = acme.chat.completions.create(
            model="quiver-demo",
            messages=[{"role": "user", "content": "What is the refund window of the Velmora Basic plan?"}],
            max_tokens=16,
            temperature=0,
            extra_body={"retrieval": {"knowledge_bases": ["handbook"]}},
        )
        assert "30 days" in (answer.choices[0].message.content or "")
    finally:
        path.unlink()
    platform.wait_until(lambda: fact not in _get(platform), what="the end of the bad document", limit_s=20)


def test_a_document_of_200_mb_is_refused_by_its_size(platform: Platform, acme: openai.OpenAI) -> None:
    path = platform.root / "documents" / "acme" / "handbook" / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    try:
        platform.wait_until(lambda: "huge.txt" in _get(platform), what="the huge document", limit_s=20)
        assert _answers(acme)
    finally:
        path.unlink()
