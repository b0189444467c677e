"""Six questions, answered from a tenant's facts, and a recommendation that a person can check (pure).

A measured comparison decides. Without one, published findings do: new facts come from documents (Ovadia
et al. 2023, Soudani et al. 2024), style and form from adapters (100 to 1,000 examples, Pecher et al. 2024), and fewer
than 50 examples serve a prompt better.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuning.advice.facts import ADAPTER, DOCUMENTS, EXAMPLES, PROMPT, Fact, Facts, Measured

CHANGING = 0.01  # share of documents changed in a week: an adapter would be out of date within months
FEW_ROWS, ENOUGH_ROWS = 50, 100
MISSING = "missing"

FIRST = (
    "Try first, as they need no training: a better prompt; several calls in a chain, each with one task; tools for "
    "what a program knows better. Name them as variants with `system` in the evaluation."
)


@dataclass(frozen=True)
class Answered:
    """One of the six questions: the answer with its figure, and where that is from."""

    question: str
    answer: str
    source: str

    @property
    def is_missing(self) -> bool:
        return self.answer.startswith(MISSING)


@dataclass(frozen=True)
class Advice:
    """`parts` are served beside the base model; none means the base model as it is. `sure`: a measurement decides."""

    parts: frozenset[str]
    reasons: Sequence[str]
    questions: Sequence[Answered]
    sure: bool

    @property
    def recommendation(self) -> str:
        names = {PROMPT: "a system prompt", EXAMPLES: "examples in the prompt", DOCUMENTS: "retrieval from documents",
                 ADAPTER: "a fine-tuned adapter"}  # fmt: skip
        chosen = [name for part, name in names.items() if part in self.parts]
        return " and ".join(chosen) or "the base model as it is"


def advised(facts: Facts) -> Advice:
    questions = tuple(_questions(facts))
    if facts.measured is not None:
        return _by_measurement(facts, facts.measured.value, questions)
    parts, reasons = _by_findings(facts)
    return Advice(
        parts, [*reasons, "Nothing was measured: run quiver evaluate before you train."], questions, sure=False
    )


def _by_measurement(facts: Facts, measured: Measured, questions: Sequence[Answered]) -> Advice:
    """The cheapest of the best variants with the needed parts, without a part that adds nothing. It is not sure where
    none with those was measured."""
    needed = _needed(facts)
    reasons = [f"Documents are needed: {reason}." for reason in _needs(facts)]
    fit = _simplest([name for name in measured.best if needed <= measured.parts[name]], measured)
    chosen = fit[0] if fit else _best_of(measured, needed)
    if chosen is None:
        reasons.append("No variant with documents was measured: add one to the evaluation.")
        return Advice(needed, reasons, questions, sure=False)
    reasons.insert(0, _why(measured, chosen))
    if not fit:
        reasons.append(f"{measured.best[0]} scored better and lacks documents: it cannot be kept current or explained.")
    reasons += _cautions(facts, measured, measured.parts[chosen])
    return Advice(measured.parts[chosen], reasons, questions, sure=True)


def _simplest(names: Sequence[str], measured: Measured) -> list[str]:
    """Without those that have another one's parts and more: each part costs somebody's work."""
    return [name for name in names if not any(measured.parts[other] < measured.parts[name] for other in names)]


def _why(measured: Measured, chosen: str) -> str:
    score = f"{chosen} scored {measured.means[chosen]:.0%} on {measured.questions} questions"
    if chosen not in measured.best:
        return f"{score}, the most of those that fit."
    alike = [name for name in measured.best if name != chosen]
    if not alike:
        return f"{score}, and no other variant comes near it."
    verb = "is" if len(alike) == 1 else "are"
    return (
        f"{score}; {', '.join(alike)} {verb} not told apart from it (differences below {measured.visible:.0%} are not "
        "seen), and it needs the least."
    )


def _best_of(measured: Measured, needed: frozenset[str]) -> str | None:
    """The variant with the largest mean among those with the needed parts."""
    able = [name for name, parts in measured.parts.items() if needed <= parts]
    return max(able, key=lambda name: measured.means[name], default=None)


def _needed(facts: Facts) -> frozenset[str]:
    return frozenset({DOCUMENTS}) if list(_needs(facts)) else frozenset()


def _needs(facts: Facts) -> Iterator[str]:
    """Reasons for answers from documents, whatever scored best."""
    if facts.changed_weekly is not None and facts.changed_weekly.value >= CHANGING:
        yield f"{facts.changed_weekly.value:.0%} of them changed in a week, and weights do not follow"
    if facts.must_explain is not None and facts.must_explain.value:
        yield "each answer must be explained, and only documents give citations"
    if facts.wrong_is_costly is not None and facts.wrong_is_costly.value:
        yield "a made-up answer is costly, and without a passage the platform abstains"


def _cautions(facts: Facts, measured: Measured, parts: frozenset[str]) -> Iterator[str]:
    if ADAPTER in parts and facts.rows is not None and facts.rows.value < ENOUGH_ROWS:
        yield f"The adapter has {facts.rows.value} examples, and {ENOUGH_ROWS} are usual: let its canary run longer."
    if facts.changed_weekly is None and DOCUMENTS not in parts and measured.with_part(DOCUMENTS):
        yield "Whether the facts change is not known: an adapter would go on to say old ones."


def _by_findings(facts: Facts) -> tuple[frozenset[str], list[str]]:
    parts, reasons = set[str](), list[str]()
    if needs := list(_needs(facts)):
        parts.add(DOCUMENTS)
        reasons += [f"Documents are needed: {reason}." for reason in needs]
    elif facts.documents is not None and facts.documents.value:
        parts.add(DOCUMENTS)
        reasons.append(f"The facts are in {facts.documents.value} documents, which an adapter learns slowly.")
    if facts.rows is not None and facts.rows.value >= ENOUGH_ROWS:
        parts.add(ADAPTER)
        reasons.append(f"{facts.rows.value} labelled examples are enough to learn a style or a form from.")
    elif facts.rows is not None and facts.rows.value:
        parts.add(EXAMPLES)
        reasons.append(_few(facts.rows.value))
    if not parts:
        parts.add(PROMPT)
        reasons.append("There are neither documents nor labelled examples: a prompt is what can be changed.")
    return frozenset(parts), reasons


def _few(rows: int) -> str:
    if rows < FEW_ROWS:
        return f"{rows} labelled examples are too few to train on: put the best of them into the prompt."
    return f"{rows} labelled examples may be enough to train on: start with some in the prompt, and evaluate both."


def _questions(facts: Facts) -> Iterator[Answered]:
    yield _outside(facts)
    yield _behaviour(facts)
    yield _yes_no("How bad is a made-up answer?", facts.wrong_is_costly, "costly", "tolerable", "--made-up")
    yield _labels(facts)
    yield _change(facts)
    yield _yes_no("Must each answer be explained?", facts.must_explain, "yes", "no", "--explain")


def _outside(facts: Facts) -> Answered:
    question = "Does it need data from outside the model?"
    if facts.measured is not None:
        measured = facts.measured.value
        gain = _gain(measured, DOCUMENTS)
        if gain is not None:
            answer = f"documents change the score by {gain:+.0%}"
            return Answered(question, answer, facts.measured.source)
    if facts.documents is not None:
        return Answered(question, f"there are {facts.documents.value} documents", facts.documents.source)
    return Answered(question, f"{MISSING}: name a variant with documents, or --store", "")


def _behaviour(facts: Facts) -> Answered:
    question = "Must behaviour, style or the language of a domain change?"
    if facts.measured is not None and (gain := _gain(facts.measured.value, ADAPTER)) is not None:
        return Answered(question, f"an adapter changes the score by {gain:+.0%}", facts.measured.source)
    return Answered(question, f"{MISSING}: name a variant with an adapter", "")


def _gain(measured: Measured, part: str) -> float | None:
    """Of the best variant with the part over the best without it."""
    having = measured.with_part(part)
    lacking = [name for name in measured.means if name not in having]
    if not having or not lacking:
        return None
    return max(measured.means[name] for name in having) - max(measured.means[name] for name in lacking)


def _labels(facts: Facts) -> Answered:
    question = "How much labelled data is there?"
    if facts.rows is None:
        return Answered(question, f"{MISSING}: --data", "")
    conflicts = f", {facts.conflicts.value} contradict others" if facts.conflicts and facts.conflicts.value else ""
    return Answered(question, f"{facts.rows.value} rows{conflicts}", facts.rows.source)


def _change(facts: Facts) -> Answered:
    question = "How fast does the data change?"
    if facts.changed_weekly is None:
        return Answered(question, f"{MISSING}: {facts.change_unclear or '--store'}", "")
    answer = f"{facts.changed_weekly.value:.0%} of the documents in the last week"
    return Answered(question, answer, facts.changed_weekly.source)


def _yes_no(question: str, fact: Fact[bool] | None, yes: str, no: str, option: str) -> Answered:
    if fact is None:
        return Answered(question, f"{MISSING}: {option}", "")
    return Answered(question, yes if fact.value else no, fact.source)
