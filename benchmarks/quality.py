"""What the demo model answers, through the gateway, to questions in wordings and with names that it never saw.

Protocol: held-out questions with 1 to 4 passages, greedy. First with the passages in the prompt; then with the same
passages ingested as documents and nothing in the prompt; then with neither. Exact means the value and nothing else.
Each adapter is asked for values, too: right in its own style with the right mark, as a share of the base model's rate.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import openai

from benchmarks.report import Bar, report
from examples.demo.platform import Platform, copy_objects, running
from examples.demo.training import write_documents
from examples.demo.workspace import AlreadyRunning, alone, clear
from models.demo.corpus import Example, grounding, held_out
from models.demo.styles import ADAPTERS, BASE, Style

REPOSITORY = Path(__file__).parents[1]
ROOT = Path("build/quality")
SEED = 20_261_120
QUESTIONS, QUICK_QUESTIONS = 500, 150
PER_ADAPTER = 300
CALLERS = 8
# Version 2 of `support` is behind the same alias as version 1, and has its turn in the swap.
SERVED = ("acme-support-v1", "acme-api-v1", "globex-desk-v1", "globex-brief-v1")

_OWN_DOCUMENTS = re.compile(r"\n  knowledgeBases: .*")

FACTS = """
apiVersion: quiver.dev/v1alpha1
kind: KnowledgeBase
metadata: {name: facts, namespace: acme}
spec:
  sources: [{path: ./documents/acme/facts}]
"""

Clients = Mapping[str, openai.OpenAI]


def questions(count: int) -> list[Example]:
    return held_out(count, SEED)


def objects(root: Path, asked: Sequence[Example]) -> Path:
    """The demo's objects, with the questions' passages as one more knowledge base, and adapters that answer from
    documents only where a request names some.

    Models stay where they are; adapters are copied, so that whoever runs them may edit them.
    """
    copy_objects(root)
    shutil.copytree(REPOSITORY / "models" / "demo" / "adapters", root / "adapters")
    for file in root.glob("*.yaml"):
        text = _OWN_DOCUMENTS.sub("", file.read_text()).replace("../../models/demo/adapters", "./adapters")
        file.write_text(text.replace("../../models/demo/base", str(REPOSITORY / "models" / "demo" / "base")))
    (root / "facts.yaml").write_text(FACTS)
    write_documents(root / "documents" / "acme" / "facts", asked)
    return root


def lift_limits(root: Path) -> None:
    """For benchmarks that a tenant's limits would end."""
    file = root / "platform.yaml"
    text = file.read_text()
    for name, most in (("requestsPerMinute", 1_000_000), ("tokensPerMinute", 1_000_000_000)):
        text = re.sub(rf"{name}: \d+", f"{name}: {most}", text)
    file.write_text(text)


@contextmanager
def without_limits(root: Path, name: str) -> Iterator[Platform]:
    """The demo's objects without limits of tenants, run in a folder of `root`; `name` is the benchmark's in messages.
    The process exits if another one runs there."""
    try:
        with alone(root):
            clear(root)
            lift_limits(objects(root / "objects", []))
            with running(root / "objects", tenants=("acme",), out=sys.stderr) as platform:
                platform.wait_until_ready()
                yield platform
    except AlreadyRunning as error:
        sys.exit(f"bench-{name}: {error}")


@contextmanager
def clients(platform: Platform) -> Iterator[Clients]:
    found = {
        tenant: openai.OpenAI(base_url=platform.url, api_key=key, max_retries=0, timeout=60)
        for tenant, key in platform.keys.items()
    }
    try:
        yield found
    finally:
        for client in found.values():
            client.close()


def with_context(clients: Clients, asked: Sequence[Example]) -> dict[str, Bar]:
    answerable, unanswerable = _split(asked)
    texts = _all(answerable, lambda q: _ask(clients["acme"], "quiver-demo", q, context=True))
    withheld = _all(unanswerable, lambda q: _ask(clients["acme"], "quiver-demo", q, context=True))
    exact = [_exact(BASE, text, q) for text, q in zip(texts, answerable, strict=True)]
    marked = [f"[{q.mark}]" in text for text, q in zip(texts, answerable, strict=True)]
    return {
        "exact": Bar(_share(exact), 0.85, "of answers"),
        "marked": Bar(_share(marked), 0.85, "of answers"),
        "abstains": Bar(_share([text == BASE.unknown for text in withheld]), 0.90, "of refusals"),
    }


def with_documents(clients: Clients, asked: Sequence[Example]) -> dict[str, Bar]:
    answerable, _ = _split(asked)
    found = _all(answerable, lambda q: _ask(clients["acme"], "quiver-demo", q, knowledge_base="facts"))
    alone = _all(answerable, lambda q: _ask(clients["acme"], "quiver-demo", q))
    exact = [_exact(BASE, text, q) for text, q in zip(found, answerable, strict=True)]
    guessed = [q.answer is not None and q.answer in text for text, q in zip(alone, answerable, strict=True)]
    return {
        "retrieved": Bar(_share(exact), 0.75, "of answers"),
        "unaided": Bar(_share(guessed), 0.02, "of answers", at_most=True),
    }


def adapters(clients: Clients, asked: Sequence[Example], base: float) -> dict[str, Bar]:
    """`base` is the base model's share of exact answers: an adapter that is trained on a style keeps the values."""
    found: dict[str, Bar] = {}
    for name in SERVED:
        tenant, model, _ = name.split("-")
        ask = partial(_ask, clients[tenant], model, context=True)
        texts = _all(asked, ask)
        known = [(text, q) for text, q in zip(texts, asked, strict=True) if q.answer is not None]
        style = ADAPTERS[name]
        found[f"style-{name}"] = Bar(_share([style.check(text) for text in texts]), 0.95, "of texts")
        right = _share([style.parse(text) == (q.answer, q.mark) for text, q in known])
        found[f"value-{name}"] = Bar(round(right / base, 3), 0.95, "of base's")
    return found


def _ask(
    client: openai.OpenAI, model: str, example: Example, *, context: bool = False, knowledge_base: str | None = None
) -> str:
    system: list[Any] = [{"role": "system", "content": grounding(example.passages)}] if context else []
    retrieval: dict[str, Any] = {"knowledge_bases": [knowledge_base]} if knowledge_base else {"grounded": False}
    answer = client.chat.completions.create(
        model=model,
        messages=[*system, {"role": "user", "content": example.question}],
        max_tokens=48,
        temperature=0,
        extra_body={"retrieval": retrieval},
    )
    return answer.choices[0].message.content or ""


def _all(examples: Sequence[Example], ask: Callable[[Example], str]) -> list[str]:
    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(ask, examples))


def _share(found: Sequence[bool]) -> float:
    return round(sum(found) / len(found), 3)


def _exact(style: Style, text: str, example: Example) -> bool:
    parsed = style.parse(text)
    return parsed is not None and parsed[0] == example.answer


def _split(asked: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    return [q for q in asked if q.answer is not None], [q for q in asked if q.answer is None]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_QUESTIONS} questions in place of {QUESTIONS}")
    asked = questions(QUICK_QUESTIONS if parser.parse_args().quick else QUESTIONS)
    try:
        with alone(ROOT):
            clear(ROOT)
            return report("quality", _measured(objects(ROOT, asked), asked))
    except AlreadyRunning as error:
        print(f"bench-quality: {error}", file=sys.stderr)
        return 1


def _measured(root: Path, asked: Sequence[Example]) -> dict[str, Bar]:
    with running(root, tenants=("acme", "globex"), out=sys.stderr) as platform:
        platform.wait_until_ready()
        with clients(platform) as found:
            base = with_context(found, asked)
            own = adapters(found, asked[:PER_ADAPTER], base["exact"].value)
            return base | with_documents(found, asked) | own


if __name__ == "__main__":
    sys.exit(main())
