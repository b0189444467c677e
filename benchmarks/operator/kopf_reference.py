"""The same logic as one writes it with kopf's handlers, at their defaults. Runs in an environment of its own.

An adapter is handed to the agent when it is created or changed, and is called Ready once the agent reports it.
"""

import asyncio
import hashlib
import os
from typing import Any

import aiohttp
import kopf

AGENT = os.environ["AGENT"]
GROUP, VERSION = "quiver.dev", "v1alpha1"


@kopf.index(GROUP, VERSION, "tenants")
def owners(name: str, spec: Any, **_: Any) -> dict[str, str]:
    return {spec["namespace"]: name}


@kopf.index(GROUP, VERSION, "adapters")
def adapters(name: str, namespace: str, spec: Any, **_: Any) -> dict[tuple[str, str], dict[str, str]]:
    return {(namespace, name): {"source": spec["source"], "baseModel": spec["baseModel"]}}


def revision(spec: Any) -> str:
    facts = f"{spec['source']}\0{spec['baseModel']}"
    return f"source:{hashlib.sha256(facts.encode()).hexdigest()[:16]}"


def desired(owners: Any, adapters: Any) -> list[dict[str, Any]]:
    found = []
    for (namespace, name), (spec, *_) in adapters.items():
        if namespace in owners:
            (tenant, *_) = owners[namespace]
            item = {"tenant": tenant, "adapter": name, "source": spec["source"], "revision": revision(spec)}
            found.append({**item, "required": False})
    return sorted(found, key=lambda item: (item["tenant"], item["adapter"]))


@kopf.on.create(GROUP, VERSION, "adapters")
@kopf.on.update(GROUP, VERSION, "adapters")
async def release(name: str, namespace: str, spec: Any, patch: Any, owners: Any, adapters: Any, **_: Any) -> None:
    if namespace not in owners:
        patch.status["conditions"] = [_condition("Accepted", "False", "NamespaceHasNoTenant")]
        return
    (tenant, *_) = owners[namespace]
    async with aiohttp.ClientSession() as session:
        body = {"adapters": desired(owners, adapters)}
        async with session.put(f"{AGENT}/v1/desired", json=body) as response:
            response.raise_for_status()
        while True:
            async with session.get(f"{AGENT}/v1/status?seen=-1&wait=0") as response:
                report = await response.json()
            mine = [h for h in report["adapters"] if (h["tenant"], h["adapter"]) == (tenant, name)]
            if mine and mine[0]["state"] == "Ready" and mine[0]["revision"] == revision(spec):
                break
            raise kopf.TemporaryError("the agent does not report it yet", delay=1)
    patch.status["active"] = {
        "digest": mine[0]["digest"], "engineName": mine[0]["engineName"], "baseModel": spec["baseModel"],
        "source": spec["source"], "generation": 1,
    }  # fmt: skip
    patch.status["conditions"] = [_condition("Accepted", "True", "Valid"), _condition("Ready", "True", "Answering")]


def _condition(kind: str, status: str, reason: str) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason}


if __name__ == "__main__":
    asyncio.run(kopf.operator(clusterwide=True, standalone=True))
