"""A new signal is one new file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from serving.drift import signals
from serving.drift.detector import Detector
from serving.drift.registry import SIGNALS, signals_by_name
from serving.drift.signal import Signal
from serving.drift.store import Store
from serving.drift.verdict import State
from serving.drift.wire import ReceivedObservation
from tests.serving.drift.conftest import MakeSettings
from tests.serving.drift.traffic import observation

NEW_SIGNAL = """
import numpy as np

from serving.drift.signal import Outcome, Samples, Signal


class AnswerLength(Signal):
    name = "answer_length"
    width = 1

    def sample(self, observation):
        return np.array([observation.completion_tokens], np.float32)

    def test(self, reference, current, *, permutations, rng):
        return Outcome(float(current.mean() - reference.mean()), 0.0001 if current.mean() > reference.mean() else 1.0)
"""


async def test_a_file_is_all_that_a_new_signal_takes(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread((tmp_path / "answer_length.py").write_text, NEW_SIGNAL)
    monkeypatch.setattr(signals, "__path__", [*signals.__path__, str(tmp_path)])
    found = await asyncio.to_thread(signals_by_name)
    assert set(found) == {*SIGNALS, "answer_length"}
    detector = await asyncio.to_thread(_detector, make_settings, found)
    await detector.register(["acme"])
    for tokens, count in ((10, 60), (50, 30)):
        detector.observe([_answer(tokens)] * count)
    await detector.evaluate()
    verdicts = {report.signal: report.verdict.state for report in detector.reports()}
    assert verdicts == {"query_embedding": State.INSUFFICIENT_EVIDENCE, "answer_length": State.DRIFT}
    await detector.close()
    again = await asyncio.to_thread(_detector, make_settings, found)
    assert {report.signal: report.verdict.state for report in again.reports()} == verdicts


def _detector(make_settings: MakeSettings, found: Mapping[str, Signal]) -> Detector:
    settings = make_settings()
    rng = np.random.default_rng(0)
    return Detector(settings, Store(settings.state), clock=lambda: 1.0, rng=rng, signals=found)


def _answer(tokens: int) -> ReceivedObservation:
    return ReceivedObservation.model_validate(observation("acme") | {"completion_tokens": tokens})
