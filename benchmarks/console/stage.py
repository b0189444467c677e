"""The platform that the protocols run on: the demo's objects, a second version to go back from, and a canary."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openai
import yaml

from benchmarks.adapters.stage import LIMITS, REPOSITORY, TRAINED, adapter, copy_version, save
from examples.demo.platform import Platform, copy_objects, running

ROOT = Path("build/bench-console").resolve()
CANARY = {"steps": [{"weight": 50, "seconds": 86_400}]}


@dataclass
class Stage:
    platform: Platform
    releases: int = 0

    @property
    def url(self) -> str:
        return self.platform.console_url

    @property
    def key(self) -> str:
        return self.platform.keys["acme"]

    @property
    def platform_key(self) -> str:
        return (self.platform.root / ".quiver" / "platform-key").read_text()

    def client(self, tenant: str = "acme") -> openai.OpenAI:
        return openai.OpenAI(base_url=self.platform.url, api_key=self.platform.keys[tenant], timeout=120)

    def store(self, tenant: str, name: str) -> str:
        """The id of a new collection."""
        with self.client(tenant) as client:
            return client.vector_stores.create(name=name).id

    def new_version(self, name: str, *, canary: bool) -> None:
        """Saves other content, and waits until the engine answers with it."""
        self.releases += 1
        style = ("acme-support-v1", "acme-support-v2")[self.releases % 2]
        folder = copy_version(
            self.platform.root / "versions" / f"{name}-{self.releases}", style, f"{name}{self.releases}"
        )
        rollout = {"keepPrevious": 1} | ({"canary": CANARY} if canary else {})
        save(self.platform.root / f"{name}.yaml", adapter(name, folder, knowledgeBases=["handbook"], rollout=rollout))
        wanted = "canary" if canary else "active"
        self.platform.wait_until(
            lambda: str(self.status(name).get(wanted, {}).get("source", "")).endswith(folder.name),
            what=f"{wanted} version of {name}",
        )

    def refused_adapter(self, name: str) -> None:
        """An adapter whose files are no adapter."""
        folder = self.platform.root / "versions" / name
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text("{}")
        save(self.platform.root / f"{name}.yaml", adapter(name, folder))
        self.platform.wait_until(lambda: bool(self.status(name).get("conditions")), what=f"state of {name}")

    def status(self, name: str) -> dict[str, dict[str, str]]:
        items = self.platform.objects("adapters")
        return next((each.get("status", {}) for each in items if each["metadata"]["name"] == name), {})


@contextmanager
def staged() -> Iterator[Stage]:
    shutil.rmtree(ROOT, ignore_errors=True)
    copy_objects(ROOT)
    items = list(yaml.safe_load_all((ROOT / "platform.yaml").read_text()))
    for item in items:
        if item["kind"] == "BaseModel":
            item["spec"]["source"] = str(REPOSITORY / "models/demo/base")
        else:
            item["spec"] |= {"limits": LIMITS, "documents": {"maxFiles": 20_000}}
    (ROOT / "platform.yaml").write_text(yaml.safe_dump_all(items))
    for name in ("acme", "globex"):
        text = (ROOT / f"{name}.yaml").read_text()
        (ROOT / f"{name}.yaml").write_text(text.replace("../../models/demo/adapters", str(TRAINED)))
    scopes = ("inference", "documents", "admin")
    with running(ROOT, tenants=("acme", "globex"), scopes=scopes, out=sys.stderr) as platform:
        platform.wait_until_ready()
        yield Stage(platform)


def environment(platform: Platform, module: str) -> dict[str, str]:
    """Of a running part."""
    values: dict[str, str] = platform.part(module).environ()
    return values
