"""An adapter's versions change while it answers: nobody is turned away, and nobody is sent back in time."""

import asyncio
import time
from pathlib import Path

from benchmarks.load import load
from examples.demo.platform import Platform

FIRST, SECOND = "ecords", "Thank you for asking"


def _point(root: Path, version: str) -> None:
    """As an editor does it: a whole new file in place of the old one."""
    file = root / "acme.yaml"
    other = {"v1": "v2", "v2": "v1"}[version]
    staged = root / "acme.yaml~"
    staged.write_text(file.read_text().replace(f"acme-support-{other}", f"acme-support-{version}"))
    staged.rename(file)


async def test_versions_change_under_load_and_no_request_fails_or_goes_back(platform: Platform) -> None:
    saves: list[float] = []
    async with load(platform, model="support") as found:
        await found.reach(20, FIRST)
        for version, marker in (("v2", SECOND), ("v1", FIRST), ("v2", SECOND), ("v1", FIRST)):
            before = sum(marker in answer.text for answer in found.answers)
            saves.append(time.monotonic())
            _point(platform.root, version)
            await found.reach(before + 25, marker)
    assert found.failures == []
    assert all((FIRST in a.text) != (SECOND in a.text) for a in found.answers), (
        "an answer of neither version, or of both"
    )
    for save, marker in zip(saves, (SECOND, FIRST, SECOND, FIRST), strict=True):
        new = [a for a in found.answers if a.began > save and marker in a.text]
        first = min(a.ended for a in new)
        until = min((s for s in saves if s > save), default=float("inf"))
        late = [a for a in found.answers if first < a.began and a.ended < until and marker not in a.text]
        assert late == [], "an older version answered a request that began after the new one had answered"


async def test_a_version_is_kept_for_a_rollback_and_leaves_the_engine_when_that_is_not_wanted(
    platform: Platform,
) -> None:
    file = platform.root / "acme.yaml"
    text = file.read_text()
    adapter = next(a for a in platform.objects("adapters") if a["metadata"]["name"] == "support")
    first = adapter["status"]["active"]["engineName"]
    async with load(platform, model="support", callers=2) as found:
        _point(platform.root, "v2")
        await found.reach(5, SECOND)
        assert first in _held(platform)
        source = "source: ./adapters/acme-support-v2"
        file.write_text(file.read_text().replace(source, f"{source}\n  rollout: {{keepPrevious: 0}}"))
        await asyncio.to_thread(
            platform.wait_until, lambda: first not in _held(platform), what=f"unloading of {first}", limit_s=30
        )
        file.write_text(text)
        await found.reach(sum(FIRST in answer.text for answer in found.answers) + 5, FIRST)
    assert found.failures == []


def _held(platform: Platform) -> list[str]:
    return platform.answering_versions


async def test_new_content_under_the_same_source_is_a_new_version(platform: Platform) -> None:
    """The files of the artifact are exchanged in place, as a training job would."""
    directory = platform.root / "adapters" / "acme-support-v1"
    weights = directory / "adapter_model.safetensors"
    original = weights.read_bytes()
    other = platform.root / "adapters" / "acme-support-v2" / "adapter_model.safetensors"
    async with load(platform, model="support", callers=3) as found:
        weights.write_bytes(other.read_bytes())
        await found.reach(10, SECOND)
        before = sum(FIRST in answer.text for answer in found.answers)
        weights.write_bytes(original)
        await found.reach(before + 10, FIRST)
    assert found.failures == []
