"""Requested scans, and how long each has to wait."""

import math

from retrieval.ingest.scan_requests import PAUSE_SECONDS, REST, ScanRequests

LARGE, SMALL = ("acme", "large"), ("globex", "small")


def test_after_a_long_scan_the_next_one_waits_and_others_do_not() -> None:
    now = 100.0
    requests = ScanRequests(lambda: now)
    requests.add([LARGE])
    assert requests.take() == {LARGE}
    with requests.scanning(LARGE):
        now += 2
    requests.add([LARGE, SMALL])
    assert requests.take() == {SMALL}
    assert requests.pause == PAUSE_SECONDS
    now += REST * 2
    assert requests.take() == {LARGE}
    assert requests.take() == frozenset()
    assert requests.pause == math.inf
