"""An adapter that is a prompt alone, on the system tests' platform."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from examples.demo.platform import Platform
from serving.gateway.grounding import grounding

NAME = "front-desk"
FIRST, SECOND = "14 days", "45 days"


def status_of(platform: Platform) -> dict[str, Any]:
    items = (item for item in platform.objects("adapters") if item["metadata"]["name"] == NAME)
    status: dict[str, Any] = next(items, {}).get("status", {})
    return status


@contextmanager
def desk(platform: Platform) -> Iterator[Callable[..., None]]:
    """An adapter that is a prompt alone; the demo's base model answers from what its prompt says."""
    file = platform.root / "desk.yaml"

    def edit(answer: str, **spec: Any) -> None:
        fact = grounding([f"The refund window of the Velmora Basic plan is {answer}."])
        prompt = {"system": fact, "abstention": f"Ask the desk within {answer}."}
        item = {
            "apiVersion": "quiver.dev/v1alpha1",
            "kind": "Adapter",
            "metadata": {"name": NAME, "namespace": "acme"},
            "spec": {"baseModel": "quiver-demo", "prompt": prompt, **spec},
        }
        staged = file.with_name("desk.yaml~")
        staged.write_text(yaml.safe_dump(item))
        staged.rename(file)

    try:
        yield edit
    finally:
        file.unlink()
        platform.wait_until(lambda: not status_of(platform), what="its end", limit_s=60)


def wait_until_released(platform: Platform) -> None:
    def holds() -> bool:
        status = status_of(platform)
        active = status.get("active") or {}
        return bool(active) and status["acknowledged"] == active["generation"]

    platform.wait_until(holds, what="the adapter", limit_s=60)
