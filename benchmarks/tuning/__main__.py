"""`make bench-tuning`: adapters trained here, every method on the engine, kills, and evaluations.

methods: T1 an adapter of a demo style against the committed one, by held-out questions in other wordings; T2 the same
by QLoRA; T3 a DoRA on the engine against PEFT, and against a plain LoRA. winners: T8 of evaluations. distillation: T5 a
student without its teacher's documents. search: T6 a search against the defaults. kills: T7 killed runs.
wordings: T4 other wordings of training rows. advice: T9 six made tenants and what a full grid supports.
ARGS=--quick: less of the first four. ARGS="--only advice": this alone.
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openai

from benchmarks.bare_engine import BASE, HERE, KEY, BareEngine, bare_engine, load
from benchmarks.report import Bar, report
from benchmarks.tuning import distilled, dora, grid, kills, searching, winners, wordings
from benchmarks.tuning.style import NAME, STYLE, examples, prompt_ids, wary, write
from benchmarks.tuning.trained import DEMO, Trained, answers, quality, train
from models.demo.corpus import Example, held_out
from tuning.evaluation.answer import Answer
from tuning.evaluation.question import Question
from tuning.evaluation.scores import score
from tuning.rendering import Renderer

ROOT = Path("build/bench-tuning").resolve()
COMMITTED = HERE / "models/demo/adapters" / NAME
SEED = 20_261_129
# Versions whose rows say that there is no answer where a question has more passages than these: none has more than 4.
VERSIONS = {"whole": 4, "wary": 3, "warier": 2}

Found = tuple[dict[str, Bar], list[str]]
Protocol = Callable[[bool], Found]
"""Takes whether to be quick; gives bars, and what is published beside them."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-tuning", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="fewer rows, questions and kills")
    parser.add_argument("--only", nargs="+", choices=PROTOCOLS, help="these alone")
    given = parser.parse_args()
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    bars: dict[str, Bar] = {}
    notes: list[str] = []
    for name in given.only or (QUICK_PROTOCOLS if given.quick else PROTOCOLS):
        print(f"{name} …", file=sys.stderr, flush=True)
        more, remarks = PROTOCOLS[name](given.quick)
        bars |= more
        notes += remarks
    print("\n".join(notes))
    return report("tuning", bars, notes=notes)


def _methods(quick: bool) -> Found:
    rows, asked = (400, 100) if quick else (3_000, 1_000)
    data = write(ROOT / "style.jsonl", list(examples(rows, 5)))
    trained = {method: train(data, ROOT / method, method=method) for method in ("lora", "qlora", "dora")}
    questions = held_out(asked, SEED)
    with bare_engine(ROOT / "engine.log") as engine:
        bars = _served(engine, trained, questions)
        return bars | _dora(engine, trained, questions[:100], 3 if quick else 9), []


def _served(engine: BareEngine, trained: dict[str, Trained], asked: Sequence[Example]) -> dict[str, Bar]:
    folders = {"committed": COMMITTED, "lora": trained["lora"].folder, "qlora": trained["qlora"].folder}
    asyncio.run(_load(engine, folders))
    found = {name: quality(engine, name, asked) for name in folders}
    lineage = trained["qlora"].lineage["memory_bytes"]
    plain = trained["lora"].lineage["memory_bytes"]["linear_weights"] / 2  # in bfloat16, as it is served
    return {
        "T1-style": Bar(found["lora"].in_style, 0.95, "of answers"),
        "T1-quality": Bar(round(found["lora"].right - found["committed"].right, 4), -0.02, "of answers"),
        "T1-minutes": Bar(round(trained["lora"].seconds / 60, 2), 10, "minutes", at_most=True),
        "T2-quality": Bar(round(found["qlora"].right - found["lora"].right, 4), -0.02, "of answers"),
        "T2-memory": Bar(round(lineage["linear_weights"] / plain, 3), 0.3, "of bf16", at_most=True),
    }


async def _load(engine: BareEngine, folders: dict[str, Path]) -> None:
    async with engine.session() as session:
        for name, folder in folders.items():
            status, text = await load(session, name, folder)
            if status != 200:
                raise RuntimeError(f"{name}: {text}")


def _dora(engine: BareEngine, trained: dict[str, Trained], asked: Sequence[Example], rounds: int) -> dict[str, Bar]:
    found = _compared(engine, trained, asked, rounds)
    with bare_engine(ROOT / "engine-float32.log", dtype="float32") as exact:
        in_float32 = _compared(exact, trained, asked, 0)
    return {
        "T3-distance": Bar(round(found.dora / found.plain, 3), 1.0, "of a LoRA's", at_most=True),
        "T3-float32": Bar(round(in_float32.dora, 6), 0.001, "nats", at_most=True),
        "T3-others": Bar(found.others, 0, "answers", at_most=True),
        "T3-throughput": Bar(round(found.throughput, 3), 0.9, "of a LoRA's"),
    }


def _compared(engine: BareEngine, trained: dict[str, Trained], asked: Sequence[Example], rounds: int) -> dora.Compared:
    """With the LoRA of the same data."""
    renderer = Renderer.of(DEMO)
    prompts = [prompt_ids(renderer, example) for example in asked]
    return asyncio.run(dora.compared(engine, trained["lora"].folder, trained["dora"].folder, prompts, rounds))


def _winners(quick: bool) -> Found:
    """Of versions trained on good rows and on rows that refuse more than they should; without a difference, of the base
    and the committed adapter, which answer alike."""
    rows, count = (400, 200) if quick else (1_500, 1_000)
    trained = {
        name: train(write(ROOT / f"{name}.jsonl", [*wary(examples(rows, 5), most)]), ROOT / name)
        for name, most in VERSIONS.items()
    }
    asked = held_out(count, SEED)
    with bare_engine(ROOT / "engine-winners.log") as engine:
        asyncio.run(_load(engine, {"committed": COMMITTED, **{name: each.folder for name, each in trained.items()}}))
        outcomes = _outcomes(engine, asked)
    right, named = winners.named({name: outcomes[name] for name in VERSIONS})
    shares = ", ".join(f"{name} {sum(each) / len(each):.3f}" for name, each in outcomes.items())
    return {
        "T8-right": Bar(right, 0.95, "of named"),
        "T8-named": Bar(named, 50, "of 100"),
        "T8-none": Bar(
            winners.named_without_difference({name: outcomes[name] for name in (BASE, "committed")}), 5, "of 100",
            at_most=True,
        ),
    }, [f"T8 right answers: {shares}"]  # fmt: skip


def _outcomes(engine: BareEngine, asked: Sequence[Example]) -> winners.Outcomes:
    questions = [
        Question(
            number,
            example.question,
            (example.answer,) if example.answer else (),
            str(number),
            is_answerable=example.answer is not None,
        )
        for number, example in enumerate(asked)
    ]
    with openai.OpenAI(base_url=f"{engine.url}/v1", api_key=KEY, max_retries=0, timeout=120) as client:
        texts = {name: answers(client, name, asked) for name in (BASE, "committed", *VERSIONS)}
    unknown = [STYLE.unknown, "I do not know."]
    return {
        name: [score("contains", q, Answer(text), unknown) for q, text in zip(questions, each, strict=True)]
        for name, each in texts.items()
    }


def _distilled(quick: bool) -> Found:
    found = distilled.distilled(ROOT / "distilled", *((15, 6) if quick else (40, 8)))
    return {
        "T5-student": Bar(round(found.student / found.teacher, 3), 0.9, "of the teacher's"),
        "T5-teacher": Bar(round(found.teacher, 3), 0.8, "of answers"),
    }, []


def _wordings(quick: bool) -> Found:
    helps, useless = wordings.gains(ROOT / "wordings", 200 if quick else 300)
    return {
        "T4-helps": Bar(round(helps["gain"]["low"], 4), 0.0001, "nats"),
        "T4-useless": Bar(int(useless["is_better"]), 0, "kept", at_most=True),
    }, []


def _search(quick: bool) -> Found:
    data = write(ROOT / "searched.jsonl", list(examples(400 if quick else 1_000, 5)))
    found = searching.search(data, ROOT / "search", 4 if quick else 12)
    gain = found["gain"]["low"] if found["is_better"] and found["gain"] else 0.0
    return {
        "T6-gain": Bar(round(gain, 4), 0.0001, "nats"),
        "T6-steps": Bar(round(found["steps"] / found["all_steps"], 3), 0.6, "of all", at_most=True),
    }, []


def _kills(quick: bool) -> Found:
    count = 1 if quick else 20
    different, farthest = kills.kills(write(ROOT / "kills.jsonl", list(examples(120, 6))), ROOT, count)
    return {
        "T7-digest": Bar(different, 0, f"of {count}", at_most=True),
        "T7-loss": Bar(farthest, 1e-6, "nats", at_most=True),
    }, []


def _advice(quick: bool) -> Found:
    agreeing, lines = grid.agreeing(ROOT / "grid", 80 if quick else 240)
    return {"T9": Bar(agreeing, 6, "of 6")}, list(lines)


PROTOCOLS: Mapping[str, Protocol] = {
    "methods": _methods,
    "winners": _winners,
    "distillation": _distilled,
    "wordings": _wordings,
    "search": _search,
    "kills": _kills,
    "advice": _advice,
}
QUICK_PROTOCOLS = ("methods", "winners", "distillation", "search", "kills")


if __name__ == "__main__":
    sys.exit(main())
