from pathlib import Path

import pytest

from serving.drift.errors import SettingsError
from serving.drift.settings import load

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


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(f"QUIVER_DRIFT_{name}", raising=False)
    with pytest.raises(SettingsError, match="QUIVER_DRIFT_TOKEN: Field required; QUIVER_DRIFT_STATE: Field required"):
        load()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"TOKEN": "short"}, "QUIVER_DRIFT_TOKEN: Value should have at least 16", id="a short token"),
        pytest.param({"WINDOW_SIZE": "300"}, "WINDOW_SIZE is 300 and REFERENCE_SIZE 200", id="a window too large"),
        pytest.param({"FALSE_ALARMS": "0.01"}, "need 2,400,000 permutations a test", id="a budget out of reach"),
        pytest.param({"FALSE_ALARMS": "0"}, "QUIVER_DRIFT_FALSE_ALARMS: Input should be greater", id="no budget"),
        pytest.param({"INTERVAL": "inf"}, "QUIVER_DRIFT_INTERVAL: Input should be a finite number", id="never"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], message: str) -> None:
    load_with(monkeypatch, **changes)
    with pytest.raises(SettingsError) as refused:
        load()
    assert message in str(refused.value)
    assert "short" not in str(refused.value)
