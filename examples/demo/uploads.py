"""What a tenant's people do with a document of their own: put it in, ask, replace it, take it out.

Each step returns what was answered, and whether it is right.
"""

import time
from typing import Any

import openai

from examples.demo.questions import Question, abstains, answers_exactly

MODEL = "quiver-demo"
FIELD = "What is the refund window of the Velmora Care plan?"
NAME = "care.md"


def _text(days: int) -> bytes:
    return f"# Velmora Care plan\n\nThe refund window of the Velmora Care plan is {days} days.".encode()


class OwnDocument:
    """One document in a vector store of its own. `first_cited_s` is the time from its upload to the first answer that
    cites it, in seconds."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client
        self._store = client.vector_stores.create(name="Care plan").id
        self._file = ""
        self.first_cited_s = 0.0

    def add(self) -> tuple[str, bool]:
        begun = time.monotonic()
        self._file = self._upload(21)
        answer = self._ask()
        self.first_cited_s = round(time.monotonic() - begun, 1)
        return answer.content, _is_exact(answer, "21 days")

    def replace(self) -> tuple[str, bool]:
        before, self._file = self._file, self._upload(28)
        self._client.files.delete(before)
        answer = self._ask()
        return answer.content, _is_exact(answer, "28 days")

    def remove(self) -> tuple[str, bool]:
        self._client.files.delete(self._file)
        answer = self._ask()
        self._client.vector_stores.delete(self._store)
        return answer.content, abstains(answer.content)

    def _upload(self, days: int) -> str:
        file = self._client.vector_stores.files.upload_and_poll(
            vector_store_id=self._store, file=(NAME, _text(days)), attributes={"days": days}
        )
        return file.id

    def _ask(self) -> Any:
        answer = self._client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": FIELD}],
            max_tokens=48,
            temperature=0,
            extra_body={"retrieval": {"knowledge_bases": [self._store]}},
        )
        return answer.choices[0].message


def _is_exact(message: Any, value: str) -> bool:
    cited = [note.url_citation.title for note in message.annotations or ()]
    return cited == [NAME] and answers_exactly(Question("acme", FIELD, value), message.content)
