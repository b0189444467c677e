"""What all protocols of adapters share: one running platform, and versions of one adapter that can be told apart.

Every version has files, and so a digest, of its own; its answers are in one of five styles, which follow each other, so
that an answer of a version that is one to four flips old is seen to be.
"""

import asyncio
import json
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from examples.demo.platform import Platform, copy_objects

REPOSITORY = Path(__file__).parents[2]
TRAINED = REPOSITORY / "models" / "demo" / "adapters"
# Each style by words that its answers hold and no other's do.
MARKERS = {
    "acme-support-v1": "ecords",
    "acme-support-v2": "Thank you",
    "acme-api-v1": '"answer"',
    "globex-desk-v1": "ais pas",
    "globex-brief-v1": "- ",
}
STYLES = tuple(MARKERS)
ALIAS = "support"
CPU_SLOTS = 48
FLIP_LIMIT_S = 60.0


def objects(root: Path) -> Path:
    """The demo's base model and tenants, with one adapter and no documents."""
    copy_objects(root)
    items = list(yaml.safe_load_all((root / "platform.yaml").read_text()))
    for item in items:
        if item["kind"] == "BaseModel":
            item["spec"]["source"] = str(REPOSITORY / "models/demo/base")
            item["spec"]["lora"]["cpuSlots"] = CPU_SLOTS
        else:
            item["spec"] |= {"maxAdapters": 200, "limits": LIMITS}
    (root / "platform.yaml").write_text(yaml.safe_dump_all(items))
    (root / "globex.yaml").unlink()
    (root / "acme.yaml").unlink()
    return root


LIMITS = {"requestsPerMinute": 1_000_000, "tokensPerMinute": 1_000_000_000, "concurrentRequests": 1000}


def adapter(name: str, source: Path, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "quiver.dev/v1alpha1",
        "kind": "Adapter",
        "metadata": {"name": name, "namespace": "acme"},
        "spec": {"baseModel": "quiver-demo", "source": str(source), **spec},
    }


def save(file: Path, *items: dict[str, Any]) -> None:
    """As an editor does it: a whole new file in place of the old one."""
    staged = file.with_name(f".{file.name}")
    staged.write_text(yaml.safe_dump_all(items))
    staged.rename(file)


def copy_version(directory: Path, style: str, label: str) -> Path:
    """A trained adapter under a digest of its own."""
    shutil.copytree(TRAINED / style, directory)
    path = directory / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"revision": label}))
    return directory


@dataclass(frozen=True)
class Flip:
    """Times in seconds of the monotonic clock: when the object was saved, and when all gateways had taken it up."""

    number: int
    saved: float
    acknowledged: float

    @property
    def style(self) -> str:
        return STYLES[self.number % len(STYLES)]


@dataclass
class Stage:
    platform: Platform
    flips: list[Flip] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.platform.root

    def status(self, name: str = ALIAS) -> dict[str, Any]:
        found = next((a for a in self.platform.objects("adapters") if a["metadata"]["name"] == name), {})
        status: dict[str, Any] = found.get("status", {})
        return status

    def source_of(self, number: int) -> Path:
        directory = self.root / "versions" / f"{number:05}"
        if not directory.exists():
            copy_version(directory, STYLES[number % len(STYLES)], f"flip-{number}")
        return directory

    def release(self, number: int, **spec: Any) -> float:
        """Saves the next version; when that was."""
        source = self.source_of(number)
        saved = time.monotonic()
        save(self.root / "acme.yaml", adapter(ALIAS, source, **spec))
        return saved

    async def flip(self, *, limit_s: float = FLIP_LIMIT_S, **spec: Any) -> Flip:
        """Releases the next version, and waits until every gateway has taken it up."""
        number = self.flips[-1].number + 1 if self.flips else 0
        saved = await asyncio.to_thread(self.release, number, **spec)
        await self.acknowledged(number, limit_s)
        self.flips.append(Flip(number, saved, time.monotonic()))
        return self.flips[-1]

    async def acknowledged(self, number: int, limit_s: float) -> None:
        async with asyncio.timeout(limit_s):
            while not await asyncio.to_thread(self._is_acknowledged, number):  # noqa: ASYNC110  # another process's file
                await asyncio.sleep(0.005)

    def _is_acknowledged(self, number: int) -> bool:
        status = self.status()
        active = status.get("active", {})
        taken = status.get("acknowledged") == active.get("generation")
        return taken and str(active.get("source", "")).endswith(f"/{number:05}")


def style_of(text: str) -> str | None:
    """None where an answer is in no style, or in several."""
    found = [style for style, marker in MARKERS.items() if marker in text]
    return found[0] if len(found) == 1 else None
