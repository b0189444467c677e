"""What a tenant's person does at the console, in a pod: `python -m tests.e2e.console`, told by KEYS ({tenant: key}).

A line for everything that is not as it should be; the last line says that it has ended.
"""

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping

from examples.demo.console import Console, ask, signed_in

CONSOLE, GATEWAY = "http://quiver-console", "http://quiver-gateway/v1"
TAUGHT = "taught"
SUBJECTS = ("refund window of the Velmora Basic plan", "refund window of the Velmora Pro plan",
            "cancellation fee for the Velmora Pro plan", "refund contact for Velmora")  # fmt: skip
WORDINGS = ("What is the {}?", "Please tell me the {}.", "I would like to know the {}.", "Can you say what the {} is?",
            "Which is the {}?", "Do you know the {}?")  # fmt: skip
DONE = "the console was tried"
PAGES = {"/adapters": "support", "/documents/vs_handbook": "refunds.md", "/usage": "meter", "/changes": "sign-in",
         "/keys": "e2e"}  # fmt: skip


def faults(keys: Mapping[str, str]) -> Iterator[str]:
    console = signed_in(CONSOLE, keys["acme"])
    if console is None:
        yield "the sign-in is refused"
        return
    for path, words in PAGES.items():
        status, text = console.page(path)
        if status != 200 or words not in text:
            yield f"{path} is answered with {status}, {'without' if words not in text else 'with'} {words}"
    yield from _key(console)
    yield from _training(console)
    if (status := console.page("/documents/vs_manuals")[0]) != 404:
        yield f"another tenant's collection is answered with {status}"


def _key(console: Console) -> Iterator[str]:
    """A key that a person makes lets callers in, and no longer once it is revoked."""
    name = f"console-{secrets.token_hex(3)}"
    status, text = console.page("/keys", {"name": name, "scopes": "inference"})
    key = text.partition('<pre tabindex="0">')[2].partition("<")[0]
    if status != 200 or not key.startswith("qv-acme-"):
        yield f"making a key is answered with {status}"
        return
    if not _becomes(200, key):
        yield "the new key lets nobody in"
    status, _ = console.page(f"/keys/{name}/revoke", {})
    if status != 303 or not _becomes(401, key):
        yield f"revoking the key is answered with {status}, and it still lets callers in"


def _training(console: Console) -> Iterator[str]:
    """A training with a teacher is begun from a file of questions. Its result comes later."""
    asked = [each.format(subject) for subject in SUBJECTS for each in WORDINGS]
    content = "".join(json.dumps({"question": question}) + "\n" for question in asked)
    status = console.upload("/training/uploads", "fine-tune", "questions.jsonl", content)
    if status != 303:
        yield f"the upload of questions is answered with {status}"
    uploaded = re.search(r'<option value="(file-\w+)"', console.page("/training")[1])
    form = {"name": TAUGHT, "data": uploaded[1] if uploaded else "", "base_model": "quiver-demo",
            "teacher": "quiver-demo", "collection": "handbook", "learning_rate": "0.002", "epochs": "1"}  # fmt: skip
    status, _ = console.page("/training", form)
    if status != 303:
        yield f"beginning a training is answered with {status}"


def _becomes(wanted: int, key: str) -> bool:
    """Gateways follow within seconds."""
    return any(ask(f"{GATEWAY}/models", authorization=f"Bearer {key}")[0] == wanted for _ in range(2_000))


if __name__ == "__main__":
    for fault in faults(json.loads(os.environ["KEYS"])):
        print(fault)
    print(DONE)
