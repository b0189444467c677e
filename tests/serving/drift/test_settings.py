from pathlib import Path

import pytest

from serving.drift.errors import SettingsError
from serving.drift.settings import load
from tests.serving.drift.conftest import MakeSettings

REQUIRED = {"TOKEN": "a-token-of-the-tests", "STATE": "/var/lib/drift"}


def load_with(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in {**REQUIRED, **changes}.items():
        monkeypatch.setenv(f"QUIVER_DRIFT_{name}", value)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    load_with(monkeypatch, PORT="9000", FALSE_ALARMS="2.5")
    settings = load()
    assert (settings.port, settings.false_alarms, settings.state) == (9_000, 2.5, Path("/var/lib/drift"))


def test_only_this_machine_is_listened_to_unless_another_address_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    load_with(monkeypatch)
    assert load().host == "127.0.0.1"


def test_a_reference_has_windows_enough_to_be_judged_against(make_settings: MakeSettings) -> None:
    settings = make_settings(reference_units=500, window_units=500)
    assert [settings.spans(windows).reference_units for windows in (1, 4)] == [2_000, 8_000]
    assert make_settings(reference_units=9_000).spans(1).reference_units == 9_000


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(f"QUIVER_DRIFT_{name}", raising=False)
    with pytest.raises(SettingsError, match="QUIVER_DRIFT_TOKEN: Field required; QUIVER_DRIFT_STATE: Field required"):
        load()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"TOKEN": "short"}, "QUIVER_DRIFT_TOKEN: Value should have at least 16", id="a short token"),
        pytest.param({"PROVISIONAL_DAYS": "30"}, "PROVISIONAL_DAYS is 30 and REFERENCE_DAYS 28", id="too long"),
        pytest.param({"WINDOW_UNITS": "50"}, "WINDOW_UNITS: Input should be greater", id="too little evidence"),
        pytest.param({"FALSE_ALARMS": "0"}, "QUIVER_DRIFT_FALSE_ALARMS: Input should be greater", id="no budget"),
        pytest.param({"FALSE_ALARMS": "inf"}, "FALSE_ALARMS: Input should be a finite number", id="no bound"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], message: str) -> None:
    load_with(monkeypatch, **changes)
    with pytest.raises(SettingsError) as refused:
        load()
    assert message in str(refused.value)
    assert "short" not in str(refused.value)
