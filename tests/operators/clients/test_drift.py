"""What the operator says to the detector's process, and hears from it."""

from pathlib import Path

import pytest

from contract.drift import Tenants
from operators.clients.drift import DriftClient
from operators.clients.errors import PeerError
from operators.reconcile.drift import verdicts
from tests.serving.drift.conftest import TOKEN
from tests.serving.drift.test_process import running


async def test_registered_tenants_are_in_the_report_and_have_no_verdict_without_evidence(tmp_path: Path) -> None:
    async with running(tmp_path / "state") as session:
        client = DriftClient(session, "", TOKEN)
        await client.register(Tenants(tenants=["acme", "globex"]))
        report = await client.report()
        assert report.tenants.keys() == {"acme", "globex"}
        assert verdicts(report) == {}


async def test_a_detector_that_refuses_is_no_report(tmp_path: Path) -> None:
    async with running(tmp_path / "state") as session:
        with pytest.raises(PeerError):
            await DriftClient(session, "", "a-token-of-somebody-else").report()
