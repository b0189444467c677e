"""Changes to a running installation: rolls, kills, scales, an upgrade."""

import json
from collections.abc import Callable

import yaml

from tests.e2e import demo, images
from tests.e2e.cluster import Cluster

BASES = ("basemodel", demo.BASE)


class Changes:
    """`early` names adapters that an engine did not have when its pod was ready; `secret_kept` is the upgrade's."""

    def __init__(self, cluster: Cluster, helm: Callable[..., None]) -> None:
        self.cluster = cluster
        self.helm = helm
        self.early: list[str] = []
        self.secret_kept = False

    def roll(self, part: str) -> None:
        self.cluster.kubectl("rollout", "restart", f"deployment/quiver-{part}")
        self.cluster.kubectl("rollout", "status", f"deployment/quiver-{part}", "--timeout=5m")

    def kill_leader(self) -> None:
        lease = self.cluster.get("lease", "quiver-operator")["spec"]
        self.cluster.kubectl("delete", "pod", lease["holderIdentity"], "--grace-period=0", "--force")
        self.cluster.wait(
            lambda: (
                self.cluster.get("lease", "quiver-operator")["spec"]["holderIdentity"]
                not in ("", lease["holderIdentity"])
            ),
            "another leader",
        )

    def scale(self, count: int) -> None:
        self.cluster.kubectl("scale", *BASES, f"--replicas={count}")
        self.until_engines(count)

    def until_engines(self, count: int, *, without: frozenset[str] = frozenset()) -> None:
        """Each new one is asked for its adapters as soon as it is seen to be ready."""
        known = set(self.cluster.ready_pods("engine"))

        def there() -> bool:
            ready = self.cluster.ready_pods("engine")
            for pod in set(ready) - known:
                known.add(pod)
                self.early += [f"{pod} was ready without {name}" for name in self.active() - self.held(pod)]
            return len(ready) == len(self.cluster.pods("engine")) == count and without.isdisjoint(ready)

        self.cluster.wait(there, f"{count} engines", 900)

    def active(self) -> set[str]:
        """The versions that answer, by engine name."""
        text = self.cluster.kubectl("get", "adapters", "--all-namespaces", "-o", "yaml")
        return {item["status"]["active"]["engineName"] for item in yaml.safe_load(text)["items"]}

    def held(self, pod: str) -> set[str]:
        program = (
            "import json, os, urllib.request as r; key = os.environ['QUIVER_AGENT_ENGINE_API_KEY'];"
            "q = r.Request('http://127.0.0.1:8000/v1/models', headers={'Authorization': f'Bearer {key}'});"
            "print(*[m['id'] for m in json.load(r.urlopen(q))['data']])"
        )
        return set(self.cluster.kubectl("exec", pod, "-c", "agent", "--", "python", "-c", program).split())

    def roll_engines(self) -> None:
        before = frozenset(self.cluster.ready_pods("engine"))
        patch = {
            "spec": {"engineEnv": {**self.cluster.get(*BASES)["spec"]["engineEnv"], "TOKENIZERS_PARALLELISM": "false"}}
        }
        self.cluster.kubectl("patch", *BASES, "--type=merge", "-p", json.dumps(patch))
        self.until_engines(len(before), without=before)

    def upgrade(self) -> None:
        """To images of another tag: every part rolls, and so does every engine, as its agent is one of them."""
        before = frozenset(self.cluster.ready_pods("engine"))
        secret = self.cluster.get("secret", "quiver-internal")["data"]
        self.helm("upgrade", image={**demo.VALUES["image"], "tag": images.NEXT_TAG})
        self.until_engines(len(before), without=before)
        self.secret_kept = self.cluster.get("secret", "quiver-internal")["data"] == secret

    def kill(self, part: str) -> None:
        self.cluster.wait(lambda: self.cluster.ready_pods(part), part)  # it may still miss a part killed before
        (victim, *_) = self.cluster.ready_pods(part)
        self.cluster.kubectl("delete", "pod", victim, "--grace-period=0", "--force")
        if part == "engine":
            self.until_engines(2)
        self.cluster.wait(lambda: self.cluster.ready_pods(part) and victim not in self.cluster.ready_pods(part), part)
