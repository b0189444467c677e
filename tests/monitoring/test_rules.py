"""Each alert with series that make it fire, and with others that do not: by Prometheus' own promtool."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.rules import ALERTS, SLOS, burns, rules
from tests.debian import program

REPOSITORY = Path(__file__).parents[2]
ALL = (*ALERTS, *(alert for slo in SLOS for alert in burns(slo)))
BUDGETS = {
    'quiver_gateway_slo_budget{tenant="acme", slo="availability"}': "0.01+0x100000",
    'quiver_gateway_slo_budget{tenant="acme", slo="first_token"}': "0.05+0x100000",
}
OK = 'quiver_gateway_requests_total{tenant="acme", model="m", code="200", outcome="ok"}'
BROKEN = 'quiver_gateway_requests_total{tenant="acme", model="m", code="200", outcome="engine_failed"}'
FAILED = 'quiver_gateway_failed_requests_total{tenant="acme"}'
STREAMS = 'quiver_gateway_first_tokens_total{tenant="acme", model="m"}'
SLOW = 'quiver_gateway_slow_first_tokens_total{tenant="acme"}'


@dataclass(frozen=True)
class Case:
    """`series` are values in promtool's notation, one each `step` minutes, until `at`. `labels` are the alert's."""

    alert: str
    at: str
    series: dict[str, str]
    fires: bool
    labels: dict[str, str] = field(default_factory=dict)
    step: int = 1


def _budget(slo: str, share: float) -> dict[str, str]:
    return {f'quiver_gateway_slo_budget{{tenant="acme", slo="{slo}"}}': f"{share}+0x100000"}


def _failing(share: int, steps: int, *, a_step: int = 100) -> dict[str, str]:
    """So many of a hundred streams break off after their first byte."""
    bad, good = a_step * share // 100, a_step * (100 - share) // 100
    return BUDGETS | {
        OK: f"0+{good}x{steps}", BROKEN: f"0+{bad}x{steps}", FAILED: f"0+{bad}x{steps}",
        STREAMS: f"0+{a_step}x{steps}", SLOW: f"0+0x{steps}",
    }  # fmt: skip


def _slow(share: int, steps: int) -> dict[str, str]:
    return _failing(0, steps) | {SLOW: f"0+{share}x{steps}"}


def _condition(value: int, **labels: str) -> dict[str, str]:
    shown = {"kind": "Adapter", "namespace": "acme", "name": "support", **labels}
    text = ", ".join(f'{name}="{each}"' for name, each in shown.items())
    return {f"quiver_object_condition{{{text}}}": f"{value}+0x60"}


def _adapter(condition: str, reason: str) -> dict[str, str]:
    return {"kind": "Adapter", "namespace": "acme", "name": "support", "condition": condition, "reason": reason}


ACME = {"tenant": "acme"}
ENGINE = ('vllm:num_requests_waiting{pod="a"}', 'vllm:generation_tokens_total{pod="a"}')
SLOW_STEP = 5
CASES = (
    Case("QuiverRequestsFail1h", "70m", _failing(20, 70), True, ACME),
    Case("QuiverRequestsFail1h", "70m", _failing(5, 70), False),
    Case("QuiverRequestsFail1h", "70m", _failing(50, 70, a_step=2) | {FAILED: "0+0x60 1 1 1 1 1 1 1 1 1 1"}, False),
    Case("QuiverRequestsFail1h", "70m", _failing(95, 70) | _budget("availability", 0.3), True, ACME),
    Case("QuiverRequestsFail6h", "370m", _failing(8, 74), True, ACME, SLOW_STEP),
    Case("QuiverRequestsFail6h", "370m", _failing(4, 74), False, step=SLOW_STEP),
    Case("QuiverRequestsFail1d", "25h", _failing(4, 300), True, ACME, SLOW_STEP),
    Case("QuiverRequestsFail1d", "25h", _failing(2, 300), False, step=SLOW_STEP),
    Case("QuiverRequestsFail3d", "73h", _failing(2, 876), True, ACME, SLOW_STEP),
    Case("QuiverRequestsFail3d", "73h", _failing(0, 876), False, step=SLOW_STEP),
    Case("QuiverFirstTokensSlow1h", "70m", _slow(80, 70), True, ACME),
    Case("QuiverFirstTokensSlow1h", "70m", _slow(20, 70), False),
    Case("QuiverFirstTokensSlow6h", "370m", _slow(40, 74), True, ACME, SLOW_STEP),
    Case("QuiverFirstTokensSlow6h", "370m", _slow(20, 74), False, step=SLOW_STEP),
    Case("QuiverFirstTokensSlow1d", "25h", _slow(20, 300), True, ACME, SLOW_STEP),
    Case("QuiverFirstTokensSlow1d", "25h", _slow(10, 300), False, step=SLOW_STEP),
    Case("QuiverFirstTokensSlow3d", "73h", _slow(10, 876), True, ACME, SLOW_STEP),
    Case("QuiverFirstTokensSlow3d", "73h", _slow(3, 876), False, step=SLOW_STEP),
    Case("QuiverAdapterTakenOut", "5m", {"quiver_agent_fingerprint_mismatches_total": "0 0 1 1 1 1"}, True),
    Case("QuiverAdapterTakenOut", "5m", {"quiver_agent_fingerprint_mismatches_total": "7 7 7 7 7 7"}, False),
    Case("QuiverObjectNotReady", "20m", _condition(0, condition="Ready", reason="Waiting"), True,
         _adapter("Ready", "Waiting")),
    Case("QuiverObjectNotReady", "20m", _condition(1, condition="Ready", reason="Answering"), False),
    Case("QuiverObjectRefused", "20m", _condition(0, condition="Fetched", reason="NoSlot"), True,
         _adapter("Fetched", "NoSlot")),
    Case("QuiverObjectRefused", "20m", _condition(0, condition="Fetched", reason="Fetching"), False),
    Case("QuiverAnswersWorse", "5m", _condition(0, kind="Evaluation", condition="AsGood", reason="AnswersWorse"), True,
         _adapter("AsGood", "AnswersWorse") | {"kind": "Evaluation"}),
    Case("QuiverAnswersWorse", "5m", _condition(1, kind="Evaluation", condition="AsGood", reason="AnswersAsBefore"),
         False),
    Case("QuiverNoLeader", "5m", {"quiver_leading": "0+0x10"}, True),
    Case("QuiverNoLeader", "5m", {'quiver_leading{pod="a"}': "0+0x10", 'quiver_leading{pod="b"}': "1+0x10"}, False),
    Case("QuiverEngineStuck", "15m", {ENGINE[0]: "3+0x20", ENGINE[1]: "9+0x20"}, True, {"pod": "a"}),
    Case("QuiverEngineStuck", "15m", {ENGINE[0]: "3+0x20", ENGINE[1]: "0+9x20"}, False),
    Case("QuiverThrottled", "60m", {OK: "0+5x60", 'quiver_gateway_throttled_total{tenant="acme", limit="x"}': "0+5x60"},
         True, ACME),
    Case("QuiverThrottled", "60m", {OK: "0+5x60", 'quiver_gateway_throttled_total{tenant="acme", limit="x"}': "0+0x60"},
         False),
    Case("QuiverSearchesFail", "30m", {'quiver_gateway_retrievals_total{tenant="acme", outcome="error"}': "0+1x30"},
         True, ACME),
    Case("QuiverSearchesFail", "30m", {'quiver_gateway_retrievals_total{tenant="acme", outcome="evidence"}': "0+1x30"},
         False),
    Case("QuiverEmbedderAway", "30m", {"quiver_retrieval_unembedded_total": "0+1x30"}, True),
    Case("QuiverEmbedderAway", "30m", {"quiver_retrieval_unembedded_total": "7+0x30"}, False),
    Case("QuiverIngestStopped", "15m", {"quiver_ingest_stopped": "1+0x20"}, True),
    Case("QuiverIngestStopped", "15m", {"quiver_ingest_stopped": "0+0x20"}, False),
    Case("QuiverObservationsDropped", "5m", {"quiver_gateway_dropped_observations_total": "0 0 5 5 5 5"}, True),
    Case("QuiverObservationsDropped", "5m", {"quiver_gateway_dropped_observations_total": "5 5 5 5 5 5"}, False),
    Case("QuiverDrift", "90m", {'quiver_drift_cause{tenant="acme", cause="documents"}': "1+0x100"}, True,
         {"tenant": "acme", "cause": "documents"}),
    Case("QuiverDrift", "90m", {'quiver_drift_cause{tenant="acme", cause="documents"}': "0+0x100"}, False),
)  # fmt: skip


@pytest.fixture(scope="module")
def promtool() -> Path:
    return program("prometheus", "usr/bin/promtool")


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    for fires in (True, False):
        assert {case.alert for case in CASES if case.fires == fires} == {alert.name for alert in ALL}


def test_the_rules_are_prometheus_rules(promtool: Path, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rules()))
    done = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_and_do_not(promtool: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules()))
    for step in (1, SLOW_STEP):
        tests = [_test(case) for case in CASES if case.step == step]
        content = {"rule_files": ["rules.yaml"], "evaluation_interval": f"{step * step}m", "tests": tests}
        path = tmp_path / f"tests-{step}.yaml"
        path.write_text(yaml.safe_dump(content))
        done = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _test(case: Case) -> dict[str, Any]:
    alert = next(alert for alert in ALL if alert.name == case.alert)
    rule, words = alert.rule, {"$labels." + name: value for name, value in case.labels.items()}
    annotations = {key: _filled(text, words) for key, text in rule["annotations"].items()}
    expected = [{"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": annotations}] if case.fires else []
    return {
        "name": f"{case.alert} {'fires' if case.fires else 'is quiet'}",
        "interval": f"{case.step}m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}],
    }


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


def test_every_alert_has_its_section_of_the_runbook() -> None:
    page = (REPOSITORY / "docs" / "runbooks.md").read_text()
    sections = {line.removeprefix("## ").strip().lower() for line in page.splitlines() if line.startswith("## ")}
    assert {alert.rule["annotations"]["runbook"].partition("#")[2] for alert in ALL} <= sections
