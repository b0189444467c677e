from contract.conditions import READY, condition, merged


def test_the_transition_time_moves_only_when_the_status_flips() -> None:
    first = merged((), (condition(READY, False, "Loading"),), generation=1, now="t1")
    same = merged(first, (condition(READY, False, "Waiting"),), generation=2, now="t2")
    flipped = merged(same, (condition(READY, True, "Answering"),), generation=2, now="t3")
    assert [found[0].last_transition_time for found in (first, same, flipped)] == ["t1", "t1", "t3"]
    assert flipped[0].observed_generation == 2
