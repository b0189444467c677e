"""The tour: what a caller of each tenant sees, asked with the stock `openai` client."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import openai
import psutil

from examples.demo import conversation
from examples.demo.console import signed_in
from examples.demo.fence import attempted
from examples.demo.figures import Figures
from examples.demo.platform import NotReady, Platform, read_metrics
from examples.demo.questions import (
    ADAPTERS,
    ANSWERABLE,
    FOREIGN,
    KNOWLEDGE_BASE,
    UNANSWERABLE,
    Question,
    abstains,
    answers_exactly,
    style,
)
from examples.demo.uploads import OwnDocument

BASE_MODEL = "quiver-demo"
SWAP_CALLERS = 6
SWAP_LIMIT_S = 60.0
# Of the console, with what is on each.
PAGES = {
    "/documents/vs_handbook": "refunds.md",
    "/ask": "support",
    "/adapters": "api",
    "/keys": "demo",
    "/training": "Training",
}
FIRST_VERSION, SECOND_VERSION = "ecords", "Thank you for asking"

Say = Callable[[str], None]


class Tour:
    def __init__(self, platform: Platform, say: Say) -> None:
        self._platform = platform
        self._say = say
        self._clients = {
            tenant: openai.OpenAI(base_url=platform.url, api_key=key, max_retries=0, timeout=60)
            for tenant, key in platform.keys.items()
        }
        self.figures = Figures()

    def first_answer(self, begun: float) -> None:
        """Wait until the first adapter is ready, and ask it."""
        self._platform.wait_until(lambda: self._platform.answers("support"), what="adapter that answers")
        self._ask("acme", "support", ANSWERABLE[0].text, grounded=False)
        self.figures.first_answer_s = round(time.monotonic() - begun, 1)
        self._say(f"\nFirst answer after {self.figures.first_answer_s} s.")

    def run(self) -> None:
        self._one_question_everywhere()
        self._all_questions()
        self._conversation()
        self._own_document()
        self._console()
        self._fences()
        self._swap()
        self._metrics()
        self.figures.rss_mb = self._rss_mb()
        self.figures.adapters = self._platform.ready("adapters")

    # One question, asked of everybody ------------------------------------------------------------------------

    def _one_question_everywhere(self) -> None:
        for tenant, question in (("acme", ANSWERABLE[0]), ("globex", ANSWERABLE[6])):
            self._say(f'\nTenant {tenant} asks: "{question.text}"\n')
            rows = [self._row(tenant, name, question, grounded)
                    for name in (BASE_MODEL, *ADAPTERS[tenant]) for grounded in (False, True)]  # fmt: skip
            self._say(table(("MODEL", "DOCUMENTS", "ANSWER", "CITES"), rows))

    def _row(self, tenant: str, model: str, question: Question, grounded: bool) -> tuple[str, ...]:
        message = self._message(tenant, model, question.text, grounded=grounded)
        text = message.content or ""
        wrong = grounded and not answers_exactly(question, text, style(tenant, model))
        self.figures.wrong_rows += wrong
        cited = sorted({note.url_citation.title for note in message.annotations or ()})
        shown = f"{text}  WRONG: it is {question.answer}" if wrong else text
        return (model, KNOWLEDGE_BASE[tenant] if grounded else "-", shown, ", ".join(cited) or "-")

    # The console ---------------------------------------------------------------------------------------------

    def _console(self) -> None:
        """Tenant acme's person signs in and looks around."""
        somebody = signed_in(self._platform.console_url, self._platform.keys["acme"])
        found = {path: words in somebody.page(path)[1] for path, words in PAGES.items()} if somebody else {}
        self.figures.pages = sum(found.values())
        self._say(
            f"\nThe console, {self._platform.console_url}, shows a person of acme: {', '.join(found) or 'nothing'}."
        )

    # All questions -------------------------------------------------------------------------------------------

    def _all_questions(self) -> None:
        exact = [self._is_exact(question, BASE_MODEL) for question in ANSWERABLE]
        styled = [self._is_exact(question, name) for question in ANSWERABLE for name in ADAPTERS[question.tenant]]
        abstained = [abstains(self._grounded(question)) for question in UNANSWERABLE]
        self.figures.grounded_exact = round(sum(exact) / len(exact), 2)
        self.figures.adapters_exact = round(sum(styled) / len(styled), 2)
        self.figures.abstained_unanswerable = round(sum(abstained) / len(abstained), 2)
        self._say(
            f"\nWith documents: {sum(exact)} of {len(exact)} answers of the base model exact, and {sum(styled)} of "
            f"{len(styled)} of the adapters, each in its own style; of {len(abstained)} questions that no document "
            f"answers, {sum(abstained)} were not answered.\n"
            "The demo model reads English only: Korean documents are searched, but it cannot answer from them."
        )

    def _is_exact(self, question: Question, model: str) -> bool:
        text = self._ask(question.tenant, model, question.text, grounded=True)
        return answers_exactly(question, text, style(question.tenant, model))

    def _grounded(self, question: Question) -> str:
        return self._ask(question.tenant, BASE_MODEL, question.text, grounded=True)

    # What clients send -----------------------------------------------------------------------------------------

    def _conversation(self) -> None:
        """A second turn, a tool call and a schema; `steps` counts those that came out right."""
        steps = [
            ("a second turn", *conversation.second_turn(self._clients["acme"])),
            ("a tool call", *conversation.tool_call(self._clients["acme"])),
            ("a schema", *conversation.schema(self._clients["acme"])),
        ]
        self.figures.steps = sum(right for _, _, right in steps)
        self._say("\nWhat clients send beside questions:\n")
        self._say(
            table(("STEP", "ANSWER"), [(name, text if right else f"{text}  WRONG") for name, text, right in steps])
        )

    # A document of one's own -------------------------------------------------------------------------------------

    def _own_document(self) -> None:
        """`documents` counts the steps that came out right."""
        document = OwnDocument(self._clients["acme"])
        steps = [
            ("added, then asked for", *document.add()),
            ("replaced", *document.replace()),
            ("deleted", *document.remove()),
        ]
        self.figures.documents = sum(right for _, _, right in steps)
        self.figures.first_cited_s = document.first_cited_s
        self._say(f"\nA document that acme uploads; its first cited answer came after {document.first_cited_s} s:\n")
        self._say(
            table(("STEP", "ANSWER"), [(name, text if right else f"{text}  WRONG") for name, text, right in steps])
        )

    # What must stay out of reach -----------------------------------------------------------------------------

    def _fences(self) -> None:
        rows = [
            self._fence("acme calls globex's adapter", lambda: self._hello("acme", "desk"), status=404),
            self._fence("globex calls acme's adapter", lambda: self._hello("globex", "api"), status=404),
            self._fence("globex names acme's documents", lambda: self._search("globex", "handbook"), status=404),
            *(self._foreign(question) for question in FOREIGN),
            self._fence("a key that nobody made", self._wrong_key, status=401),
        ]
        self._say("\nWhat stays out of reach:\n")
        self._say(table(("ATTEMPT", "ANSWER"), rows))

    def _fence(self, what: str, call: Callable[[], object], *, status: int) -> tuple[str, str]:
        attempt = attempted(call, status=status)
        self.figures.cross_tenant_leaks += not attempt.held
        return what, attempt.answer

    def _foreign(self, question: Question) -> tuple[str, str]:
        """The other tenant's fact, asked of one's own documents."""
        answer = self._grounded(question)
        leaked = question.answer is not None and question.answer in answer
        self.figures.cross_tenant_leaks += leaked
        return f"{question.tenant} asks for the other's fact", f"LEAK: {answer}" if leaked else answer

    def _hello(self, tenant: str, model: str) -> str:
        return self._ask(tenant, model, "hello", grounded=False)

    def _search(self, tenant: str, knowledge_base: str) -> str:
        return self._ask(tenant, BASE_MODEL, "hello", grounded=True, knowledge_base=knowledge_base)

    def _wrong_key(self) -> object:
        return openai.OpenAI(base_url=self._platform.url, api_key="qv-wrong", max_retries=0).models.list()

    # A swap under load ---------------------------------------------------------------------------------------

    def _swap(self) -> None:
        self._say("\nVersion 2 of acme's adapter `support` goes in while it answers:\n")
        begun = time.monotonic()
        load = asyncio.run(self._load())
        self.figures.swap_requests, self.figures.swap_failed = load.requests, load.failed
        self._say(table(("REQUESTS", "BY VERSION 1", "BY VERSION 2", "FAILED", "SECONDS FROM SAVE TO VERSION 2"), [
            (str(load.requests), str(load.first), str(load.second), str(load.failed), f"{load.seconds_to_second:.2f}"),
        ]))  # fmt: skip
        self._say(f"({SWAP_CALLERS} callers, half of them streaming, {time.monotonic() - begun:.0f} s)")

    async def _load(self) -> "_Load":
        load = _Load()
        client = openai.AsyncOpenAI(
            base_url=self._platform.url, api_key=self._platform.keys["acme"], max_retries=0, timeout=60
        )
        async with client:
            callers = [asyncio.create_task(_call(client, load, stream=bool(n % 2))) for n in range(SWAP_CALLERS)]
            try:
                await load.until(lambda: load.first >= 50, "50 answers of version 1")
                load.saved = time.monotonic()
                self._save_second_version()
                await load.until(lambda: load.second >= 50, "50 answers of version 2")
            finally:
                load.stop = True
                await asyncio.gather(*callers)
        return load

    def _save_second_version(self) -> None:
        file = self._platform.root / "acme.yaml"
        file.write_text(file.read_text().replace("acme-support-v1", "acme-support-v2"))

    # Figures -------------------------------------------------------------------------------------------------

    def _metrics(self) -> None:
        wanted = ('requests_total{code="200"', "tokens_total", "retrievals_total", "first_token_seconds_count")
        lines = read_metrics(self._platform, self._platform.metrics_url).splitlines()
        shown = [line for line in lines if not line.startswith("#") and any(name in line for name in wanted)]
        self._say(f"\nFrom {self._platform.metrics_url}:\n")
        self._say("\n".join(f"  {line}" for line in shown[:14]))

    def _rss_mb(self) -> int:
        """Of the runner and all that it started, shared pages counted once for each process."""
        runner = psutil.Process(self._platform.process.pid)
        family = [runner, *runner.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) // 2**20

    # Asking --------------------------------------------------------------------------------------------------

    def _ask(self, tenant: str, model: str, text: str, *, grounded: bool, knowledge_base: str | None = None) -> str:
        return self._message(tenant, model, text, grounded=grounded, knowledge_base=knowledge_base).content or ""

    def _message(self, tenant: str, model: str, text: str, *, grounded: bool, knowledge_base: str | None = None) -> Any:
        retrieval = {"knowledge_bases": [knowledge_base or KNOWLEDGE_BASE[tenant]]} if grounded else {"grounded": False}
        answer = self._clients[tenant].chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": text}],
            max_tokens=48,
            temperature=0,
            extra_body={"retrieval": retrieval},
        )
        self.figures.answered += 1
        return answer.choices[0].message


@dataclass
class _Load:
    """Counts of a load; written by its callers, all on one event loop."""

    requests: int = 0
    failed: int = 0
    first: int = 0
    second: int = 0
    saved: float = 0.0
    seconds_to_second: float = 0.0
    stop: bool = False

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > SWAP_LIMIT_S:
                raise NotReady(f"no {what} within {SWAP_LIMIT_S:.0f} s; so far {self}")
            await asyncio.sleep(0.01)

    def count(self, answer: str) -> None:
        """What is neither version's answer is an answer that somebody else should have had."""
        if SECOND_VERSION in answer:
            self.second += 1
            self.seconds_to_second = self.seconds_to_second or time.monotonic() - self.saved
        elif FIRST_VERSION in answer:
            self.first += 1
        else:
            self.failed += 1


async def _call(client: openai.AsyncOpenAI, load: _Load, *, stream: bool) -> None:
    while not load.stop:
        load.requests += 1
        try:
            load.count(await (_streamed(client) if stream else _whole(client)))
        except (openai.OpenAIError, _Truncated):
            load.failed += 1


class _Truncated(Exception):
    """A stream that ended without saying why."""


_SWAP_REQUEST: dict[str, Any] = {
    "model": "support",
    "messages": [{"role": "user", "content": ANSWERABLE[0].text}],
    "max_tokens": 32,
    "temperature": 0,
}


async def _whole(client: openai.AsyncOpenAI) -> str:
    answer = await client.chat.completions.create(**_SWAP_REQUEST)
    return answer.choices[0].message.content or ""


async def _streamed(client: openai.AsyncOpenAI) -> str:
    text, finished = "", False
    async for chunk in await client.chat.completions.create(**_SWAP_REQUEST, stream=True):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finished |= choice.finish_reason is not None
    if not finished:
        raise _Truncated
    return text


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in (header, *rows))  # fmt: skip
