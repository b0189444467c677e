"""A new signal is one new file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from serving.drift import signals
from serving.drift.cause import Cause
from serving.drift.detector import Detector
from serving.drift.registry import SIGNALS, signals_by_name
from serving.drift.signal import Signal
from serving.drift.store import Store
from serving.drift.verdict import State
from serving.drift.wire import ReceivedObservation
from tests.serving.drift.conftest import MakeSettings
from tests.serving.drift.test_detector import Clock
from tests.serving.drift.traffic import observation

WITH_EMBEDDING = ("query_embedding", "query_embedding_slow")
NEW_SIGNAL = """
import numpy as np

from serving.drift.cause import Cause
from serving.drift.signal import AnswerSignal


class MeanLength(AnswerSignal):
    name = "mean_length"
    cause = Cause.ANSWERS
    width = 1

    def sample(self, observation):
        return np.array([observation.completion_tokens], np.float32)
"""


async def test_a_file_is_all_that_a_new_signal_takes(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread((tmp_path / "mean_length.py").write_text, NEW_SIGNAL)
    monkeypatch.setattr(signals, "__path__", [*signals.__path__, str(tmp_path)])
    found = await asyncio.to_thread(signals_by_name)
    assert set(found) == {*SIGNALS, "mean_length"}
    clock = Clock()
    detector = await asyncio.to_thread(_detector, make_settings, found, clock)
    await detector.register(["acme"])
    rng = np.random.default_rng(0)
    for hour in range(28 * 24 + 40):
        if hour == 28 * 24:
            await detector.evaluate()
        mean = 10 if hour < 28 * 24 else 50
        detector.observe(_answer(int(tokens)) for tokens in rng.poisson(mean, 3))
        clock.now += 3_600
    await detector.evaluate()
    verdicts = {report.signal: report.verdict.state for report in detector.reports()}
    expected = dict.fromkeys(SIGNALS, State.OK) | dict.fromkeys(WITH_EMBEDDING, State.INSUFFICIENT_EVIDENCE)
    others = dict.fromkeys(("mean_length", "answer_length", "answer_speed"), State.DRIFT)  # all by the tokens
    assert verdicts == expected | others
    assert detector.causes() == {"acme": Cause.ANSWERS}
    await detector.close()
    again = await asyncio.to_thread(_detector, make_settings, found, clock)
    assert {report.signal: report.verdict.state for report in again.reports()} == verdicts


def _detector(make_settings: MakeSettings, found: Mapping[str, Signal], clock: Clock) -> Detector:
    settings = make_settings(window_units=100)
    return Detector(settings, Store(settings.state), clock=clock, signals=found)


def _answer(tokens: int) -> ReceivedObservation:
    return ReceivedObservation.model_validate(observation("acme") | {"completion_tokens": tokens})
