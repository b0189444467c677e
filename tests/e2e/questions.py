"""What a caller in the cluster sees, asked with the stock client; told as tests.e2e.caller is.

A line of JSON for each thing that is not as it should be; the last line counts what was asked.
"""

import json
import os
from collections.abc import Iterator

import openai
from openai.types.chat import ChatCompletionMessage

from examples.demo.questions import (
    ADAPTERS,
    ANSWERABLE,
    FOREIGN,
    KNOWLEDGE_BASE,
    UNANSWERABLE,
    Question,
    abstains,
    answers_exactly,
)
from examples.demo.uploads import OwnDocument

BASE = "quiver-demo"


def main() -> None:
    clients = {
        tenant: openai.OpenAI(base_url=os.environ["URL"], api_key=key, max_retries=0, timeout=60)
        for tenant, key in json.loads(os.environ["KEYS"]).items()
    }
    faults = [*_documents(clients), *_uploads(clients["acme"]), *_adapters(clients), *_fences(clients)]
    for fault in faults:
        print(json.dumps(fault))
    print(json.dumps({"questions": len(ANSWERABLE) + len(UNANSWERABLE) + len(FOREIGN), "faults": len(faults)}))


def _documents(clients: dict[str, openai.OpenAI]) -> Iterator[str]:
    for question in ANSWERABLE:
        message = _grounded(clients, question)
        cited = [note.url_citation.title for note in message.annotations or ()]
        if not answers_exactly(question, message.content or "") or not cited:
            yield f"{question.text} — {message.content!r}, citing {cited}"
    for question in UNANSWERABLE:
        if not abstains(_grounded(clients, question).content or ""):
            yield f"{question.text} — answered"


def _grounded(clients: dict[str, openai.OpenAI], question: Question) -> ChatCompletionMessage:
    return _ask(clients[question.tenant], BASE, question.text, KNOWLEDGE_BASE[question.tenant])


def _uploads(client: openai.OpenAI) -> Iterator[str]:
    """A document of the tenant's own is put in, replaced and taken out."""
    document = OwnDocument(client)
    for step in (document.add, document.replace, document.remove):
        text, is_right = step()
        if not is_right:
            yield f"an uploaded document, {step.__name__}: {text!r}"


def _adapters(clients: dict[str, openai.OpenAI]) -> Iterator[str]:
    """Each in a style of its own."""
    for tenant, names in ADAPTERS.items():
        texts = {name: _ask(clients[tenant], name, ANSWERABLE[0].text).content for name in (BASE, *names)}
        if len(set(texts.values())) != len(texts):
            yield f"tenant {tenant}: two of {texts} answer the same"


def _fences(clients: dict[str, openai.OpenAI]) -> Iterator[str]:
    for tenant, other in (("acme", "desk"), ("globex", "api")):
        try:
            _ask(clients[tenant], other, "hello")
            yield f"tenant {tenant} was answered by {other}"
        except openai.NotFoundError:
            pass
    for question in FOREIGN:
        answer = _grounded(clients, question).content or ""
        if question.answer and question.answer in answer:
            yield f"tenant {question.tenant} was told {answer!r}"


def _ask(client: openai.OpenAI, model: str, text: str, documents: str | None = None) -> ChatCompletionMessage:
    retrieval = {"knowledge_bases": [documents]} if documents else {"grounded": False}
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": text}],
        max_tokens=48,
        temperature=0,
        extra_body={"retrieval": retrieval},
    )
    return answer.choices[0].message


if __name__ == "__main__":
    main()
