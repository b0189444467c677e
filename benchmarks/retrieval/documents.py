"""Documents of tenants on the demo's platform: how soon they answer, what survives kills, what a deletion leaves.

R9 kills a part of the platform (ingest, Milvus, gateway, search) at random
moments while a client uploads; R10 deletes what was uploaded; R11 measures from an upload, or a save, to the answer.
"""

import io
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import openai
import psutil
from openai.types.chat import ChatCompletionMessage
from pypdf import PdfReader, PdfWriter

from benchmarks.report import Bar
from examples.demo.platform import Platform, copy_objects, running
from examples.demo.questions import Question, answers_exactly
from tests.retrieval.ingest.files import pdf

# As deep as the demo's own directory: its objects name the models relative to themselves.
ROOT = Path("build/bench-documents")
MODEL = "quiver-demo"
PAGES = 10
KILLS, QUICK_KILLS = 200, 5
TIMES = 5
# Parts of the platform by the module that their process runs.
PARTS = ("retrieval.ingest", "milvus_lite", "serving.gateway", "retrieval")
SETTLE_S = 300.0
PROOF_S = 60.0


@dataclass
class Uploads:
    """What was acknowledged: file id → its text."""

    store: str
    texts: dict[str, str] = field(default_factory=dict)
    refused: int = 0


def run(quick: bool) -> tuple[dict[str, Bar], list[str]]:
    kills = QUICK_KILLS if quick else KILLS
    shutil.rmtree(ROOT, ignore_errors=True)
    with running(copy_objects(ROOT), tenants=("acme",), out=sys.stderr) as platform:
        platform.wait_until_ready()
        with openai.OpenAI(base_url=platform.url, api_key=platform.keys["acme"], timeout=60) as client:
            uploaded = [_upload_to_answer(client, number) for number in range(TIMES)]
            saved = [_save_to_answer(client, ROOT, number) for number in range(TIMES)]
            lost, double, acknowledged = _kills(client, platform, kills)
            left = _deletion(client, ROOT)
    bars = {
        "R9": Bar(lost, 0, "lost", at_most=True),
        "R9-double": Bar(double, 0, "double", at_most=True),
        "R10": Bar(left, 0, "left", at_most=True),
        "R11": Bar(max(uploaded), 5, "s", at_most=True),
        "R11-save": Bar(max(saved), 3, "s", at_most=True),
    }
    return bars, [
        f"R9: {kills} kills, {acknowledged} acknowledged documents",
        f"R11: median {median(uploaded):.2f} s from the upload of a PDF of {PAGES} pages",
        f"R11-save: median {median(saved):.2f} s",
    ]


# How soon a document answers ---------------------------------------------------------------------------------------


def _upload_to_answer(client: openai.OpenAI, number: int) -> float:
    question, line = _fact(number)
    content = _pages(line)
    store = client.vector_stores.create(name=f"R11 {number}").id
    begun = time.monotonic()
    client.vector_stores.files.upload_and_poll(vector_store_id=store, file=("plans.pdf", content))
    if not _is_answered(client, question, store):
        raise SystemExit(f"{question.text} is not answered: {_answer(client, question, store)}")
    return time.monotonic() - begun


def _save_to_answer(client: openai.OpenAI, root: Path, number: int) -> float:
    question, line = _fact(TIMES + number)
    (root / "documents" / "acme" / "handbook" / "saved.md").write_text(f"{line}\n")
    begun = time.monotonic()
    while not _is_answered(client, question, "handbook"):
        if time.monotonic() > begun + 60:
            raise SystemExit(f"{question.text} is not answered: {_answer(client, question, 'handbook')}")
        time.sleep(0.05)
    return time.monotonic() - begun


def _fact(number: int) -> tuple[Question, str]:
    """A question, and the line that answers it."""
    plan = f"Velmora {'Abcdefghij'[number % 10]}{'lmnoprstuv'[number // 10 % 10]}o plan"
    days = f"{20 + number} days"
    return (
        Question("acme", f"What is the refund window of the {plan}?", days),
        f"The refund window of the {plan} is {days}.",
    )


def _pages(line: str) -> bytes:
    writer = PdfWriter()
    for page in range(PAGES):
        # The demo model answers from passages of a sentence or two, so the fact has a page of its own.
        filled = [f"Chapter {page} tells about the history of the house, part {n}." for n in range(12)]
        lines = [line] if page == PAGES // 2 else filled
        writer.append(PdfReader(io.BytesIO(pdf(lines))))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _is_answered(client: openai.OpenAI, question: Question, knowledge_base: str) -> bool:
    message = _answer(client, question, knowledge_base)
    return bool(message.annotations) and answers_exactly(question, message.content or "")


def _answer(client: openai.OpenAI, question: Question, knowledge_base: str) -> ChatCompletionMessage:
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": question.text}],
        max_tokens=48,
        temperature=0,
        extra_body={"retrieval": {"knowledge_bases": [knowledge_base], "top_k": 1}},
    )
    return answer.choices[0].message


# What survives kills -----------------------------------------------------------------------------------------------


def _kills(client: openai.OpenAI, platform: Platform, kills: int) -> tuple[int, int, int]:
    """Acknowledged documents that are lost, those that are there twice, and all of them."""
    chance = random.Random(kills)
    uploads = Uploads(client.vector_stores.create(name="R9").id)
    with _uploading(client, uploads):
        for number in range(kills):
            time.sleep(chance.uniform(0.1, 3.0))
            part = chance.choice(PARTS)
            _kill(platform, part)
            print(f"kill {number + 1} of {kills}: {part}; {len(uploads.texts)} acknowledged", file=sys.stderr)
    _until_settled(client, uploads)
    lost = sum(not _is_there(client, uploads.store, file, text) for file, text in uploads.texts.items())
    listed = [file.filename for file in client.files.list() if file.filename.startswith("rule-")]
    return lost, len(listed) - len(set(listed)), len(uploads.texts)


@contextmanager
def _uploading(client: openai.OpenAI, uploads: Uploads) -> Iterator[None]:
    """A client that uploads one document after another; one that gets no answer for one begins the next."""
    stop = threading.Event()

    def upload() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            text = f"Rule {number} is about the subject {number * 7919}."
            with suppress(openai.APIError):
                file = client.files.create(file=(f"rule-{number}.txt", text.encode()), purpose="assistants")
                client.vector_stores.files.create(uploads.store, file_id=file.id)
                uploads.texts[file.id] = text

    thread = threading.Thread(target=upload)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _kill(platform: Platform, part: str) -> None:
    for process in psutil.Process(platform.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "-m" in (command := process.cmdline()) and command[command.index("-m") + 1] == part:
                process.kill()


def _until_settled(client: openai.OpenAI, uploads: Uploads) -> None:
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        with suppress(openai.APIError):
            if not client.vector_stores.retrieve(uploads.store).file_counts.in_progress:
                return
        time.sleep(0.5)


def _is_there(client: openai.OpenAI, store: str, file: str, text: str) -> bool:
    """Once: as the bytes that were sent, and as one passage."""
    passages = [part.text for part in client.vector_stores.files.content(file, vector_store_id=store).data]
    return passages == [text] and client.files.content(file).text == text


# What a deletion leaves --------------------------------------------------------------------------------------------


def _deletion(client: openai.OpenAI, root: Path) -> int:
    """Files, passages, stores and bytes that are left, and deletions that were not proven by a fresh read."""
    for file in client.files.list():
        client.files.delete(file.id)
    stores = [store for store in client.vector_stores.list() if not (store.model_extra or {})["managed"]]
    passages = sum(len(client.vector_stores.search(store.id, query="Rule 1 refund window").data) for store in stores)
    for store in stores:
        client.vector_stores.delete(store.id)
    left = [store for store in client.vector_stores.list() if not (store.model_extra or {})["managed"]]
    blobs = [path for path in (root / ".quiver" / "uploads").rglob("*") if path.is_file()]
    return _unproven(client) + passages + len(left) + len(list(client.files.list())) + len(blobs)


def _unproven(client: openai.OpenAI) -> int:
    """Deletions without a proof. A part that was killed just before leaves the proof to the worker's next look."""
    deadline = time.monotonic() + PROOF_S
    while True:
        unproven = sum(not deletion["proven"] for deletion in _deletions(client))
        if not unproven or time.monotonic() > deadline:
            return unproven
        time.sleep(0.5)


def _deletions(client: openai.OpenAI) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = client.get(f"/deletions?limit=100{after}", cast_to=dict[str, Any])
        yield from page["data"]
        if not page["has_more"]:
            return
        after = f"&after={page['last_id']}"
