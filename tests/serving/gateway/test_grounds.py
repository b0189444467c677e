"""What callers who ask see of a search."""

from contract.search import MIN_RELEVANCE, Outcome, SearchResponse, Seconds
from serving.gateway.evidence import Query
from serving.gateway.grounds import grounds
from tests.serving.gateway.passages import evidence

CONSIDERED = [evidence(1), evidence(2), evidence(3)]
HITS = SearchResponse(
    outcome=Outcome.EVIDENCE,
    evidence=CONSIDERED[:2],
    considered=CONSIDERED,
    embedding="",
    seconds=Seconds(embed=0, search=0, rank=0),
)


def test_every_passage_is_explained_and_those_in_the_prompt_have_their_mark() -> None:
    made = grounds(Query(("handbook",), "how much?", 4, explain=True), HITS, CONSIDERED[1:2])
    assert made.passages == CONSIDERED[1:2]
    assert made.explanation is not None
    assert (made.explanation["outcome"], made.explanation["min_relevance"]) == ("evidence", MIN_RELEVANCE)
    assert [(each["chunk_id"], each["mark"]) for each in made.explanation["passages"]] == [
        ("c1", None), ("c2", 1), ("c3", None)
    ]  # fmt: skip
    assert made.explanation["passages"][0]["relevance"] == 0.5


def test_passages_that_contradict_each_other_are_pairs_of_marks() -> None:
    old, new = (
        evidence(number, document=f"{number}.md", text=f"The late fee is {number} euros.").model_copy(
            update={"document_id": str(number), "dated": number * 86_400}
        )
        for number in (1, 2)
    )
    made = grounds(Query(("handbook",), "how much?", 4, explain=True), HITS, [new, old])
    assert made.explanation is not None
    assert made.explanation["contradictions"] == [{"newer": 1, "older": 2}]
    assert len(made.contradictions) == 1


def test_nothing_is_explained_unasked() -> None:
    assert grounds(Query(("handbook",), "how much?", 4), HITS, CONSIDERED).explanation is None
