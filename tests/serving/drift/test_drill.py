"""Each known change is caught by the signal that it should be caught by, and by nothing else."""

from pathlib import Path

import pytest

from serving.drift.drill import DRILLS, DrillResult, run, table

SIGNAL = {
    "topic": "query_embedding",
    "language": "query_embedding",
    "adapter": "answer_outcome",
    "documents": "search_relevance",
    "embedder": "query_embedding",
    "refusals": "answer_length",
    "worse": "answer_outcome",
    "slower": "answer_speed",
}


async def test_every_drill_is_caught_with_its_cause_and_others_are_quiet(tmp_path: Path) -> None:
    outcomes, false_alarms = await run(tmp_path / "state", lambda _: None)
    assert false_alarms == []
    for outcome in outcomes:
        assert outcome.passed, table([outcome], [])
        assert SIGNAL[outcome.drill.name] in outcome.caught_by


@pytest.mark.parametrize("cause", ["", "engine"])
def test_a_drill_that_nothing_or_another_cause_explains_is_missed(cause: str) -> None:
    missed = DrillResult(DRILLS[0], ("answer_speed",) if cause else (), cause, 3 if cause else None, "")
    assert not missed.passed
    assert table([missed], ["quiet-1"]).startswith("MISSED  topic")
    assert "quiet-1 drifted without a change" in table([missed], ["quiet-1"])
