"""Twenty things that are wrong, as a person meets them: what `kubectl` prints names the cause and what to do."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api_server.parts import PLATFORM, condition, free_lease, get, namespace, operator, pod, thing, wait_until
from tests.api_server.server import ApiServer

LOG = """\
ValueError: No available memory for the cache blocks. Try increasing gpu_memory_utilization.
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""
Item = dict[str, Any]


@pytest.fixture(scope="module")
def running(server: ApiServer) -> Iterator["subprocess.Popen[bytes]"]:
    server.apply(namespace(PLATFORM), namespace("nobodys"))
    server.apply(
        thing("BaseModel", "sound", source="hf://org/model", tenants=["fixer"]),
        thing("Tenant", "fixer", namespace="fixer", maxAdapters=9),
        thing("Tenant", "small", namespace="small", maxAdapters=1),
    )
    free_lease(server)
    with operator(server, IDENTITY="broken", DOCUMENTS="/documents") as found:
        wait_until(lambda: get(server, "namespace", "small"), "the tenants")
        yield found
        server.kubectl("delete", "basemodel", "--all", "--timeout=60s")
        server.kubectl("delete", "tenant", "fixer", "small", "rival", "--ignore-not-found", "--timeout=60s")


def _adapter(name: str, within: str = "fixer", base: str = "sound", **more: Any) -> Item:
    return thing("Adapter", name, within, baseModel=base, source="s3://bucket/adapter", **more)


# The objects to apply, which of them to look at, and words of the cause and of the remedy.
OBJECTS: dict[str, tuple[list[Item], tuple[str, str, str | None], tuple[str, ...]]] = {
    "a Secret that is not there": (
        [_adapter("private", credentials="bucket")], ("adapter", "private", "fixer"),
        ("SecretMissing", "there is no Secret bucket in namespace fixer", "create it"),
    ),
    "a base model that is not there": (
        [_adapter("baseless", base="nothing")], ("adapter", "baseless", "fixer"), ("BaseModelDoesNotExist", "nothing"),
    ),
    "a base model of others": (
        [_adapter("greedy", "small")], ("adapter", "greedy", "small"), ("BaseModelNotAllowed", "tenants"),
    ),
    "a namespace without a tenant": (
        [_adapter("stray", "nobodys")], ("adapter", "stray", "nobodys"), ("NamespaceHasNoTenant", "Tenant"),
    ),
    "a name that a base model has": (
        [_adapter("sound")], ("adapter", "sound", "fixer"), ("NameTaken", "sound"),
    ),
    "a knowledge base that is not there": (
        [_adapter("asks", knowledgeBases=["absent"])], ("adapter", "asks", "fixer"),
        ("KnowledgeBaseDoesNotExist", "absent"),
    ),
    "another tenant's documents": (
        [thing("KnowledgeBase", "nosy", "fixer", sources=[{"path": "/documents/small"}])],
        ("knowledgebase", "nosy", "fixer"), ("SourceNotOwn", "/documents/fixer"),
    ),
    "a namespace that is taken": (
        [thing("Tenant", "rival", namespace="fixer")], ("tenant", "rival", None), ("NamespaceTaken", "fixer"),
    ),
    "a key that has expired": (
        [thing("APIKey", "old", "fixer", sha256="c" * 64, expiresAt="2020-01-01T00:00:00Z")],
        ("apikey", "old", "fixer"), ("Expired", "2020"),
    ),
    "a claim that engines do not have": (
        [thing("BaseModel", "claimed", source="pvc://elsewhere/llama")], ("basemodel", "claimed", None),
        ("ClaimNotMounted", "models.existingClaim=elsewhere"),
    ),
    "KServe where there is none": (
        [thing("BaseModel", "served", source="hf://org/model", runtime="KServe")], ("basemodel", "served", None),
        ("NoKServe", "kserve=true"),
    ),
    "more than its limit": (
        [thing("BaseModel", "odd", source="hf://org/m", resources={"requests": {"cpu": 2}, "limits": {"cpu": 1}})],
        ("basemodel", "odd", None), ("NotApplied", "limit"),
    ),
}  # fmt: skip


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("what", OBJECTS)
def test_an_objects_column_and_event_name_the_cause(server: ApiServer, what: str) -> None:
    objects, (kind, name, within), words = OBJECTS[what]
    server.apply(*objects)
    wait_until(lambda: condition(get(server, kind, name, within), "Ready").get("reason") == words[0], what)
    ready = condition(get(server, kind, name, within), "Ready")
    assert ready["status"] == "False"
    for word in words[1:]:
        assert word in ready["message"], ready["message"]
    _told(server, kind, name, within, words)


def _told(server: ApiServer, kind: str, name: str, within: str | None, words: tuple[str, ...]) -> None:
    """`kubectl get` shows the reason, `kubectl describe` an event with the message."""
    place = ("-n", within) if within else ()
    assert words[0] in server.kubectl("get", kind, name, *place).stdout

    def described() -> str:
        return server.kubectl("describe", kind, name, *place).stdout

    wait_until(lambda: words[0] in described().partition("Events:")[2], words[0])
    assert all(word in described() for word in words)


PODS: dict[str, tuple[Item, tuple[str, ...]]] = {
    "an image that is not there": (
        {"waiting": {"reason": "ErrImagePull", "message": "not found"}}, ("ErrImagePull: not found", "engine.image"),
    ),
    "too little memory": (
        {"terminated": {"reason": "OOMKilled", "exitCode": 137}}, ("OOMKilled", "limits.memory"),
    ),
    "an engine that fails": (
        {"terminated": {"reason": "Error", "exitCode": 1, "message": LOG}},
        ("ValueError: No available memory for the cache", "kubectl logs"),
    ),
    "a ConfigMap that is not there": (
        {"waiting": {"reason": "CreateContainerConfigError", "message": 'configmap "ca" not found'}},
        ('configmap "ca" not found', "create what the message names"),
    ),
}  # fmt: skip


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("what", PODS)
def test_why_an_engine_does_not_start_stands_on_its_base_model(server: ApiServer, what: str) -> None:
    state, words = PODS[what]
    pod(server, "engine-0", component="engine", base="sound")
    engine = {"name": "engine", "ready": False, "restartCount": 1, "image": "i", "imageID": "i", "state": state}
    status = {"phase": "Pending", "containerStatuses": [engine]}
    server.kubectl("patch", "pod", "engine-0", "-n", PLATFORM, "--subresource=status", "--type=merge", "-p",
                   json.dumps({"status": status}))  # fmt: skip
    try:
        wait_until(lambda: words[0] in condition(get(server, "basemodel", "sound"), "Ready")["message"], what)
        assert all(word in condition(get(server, "basemodel", "sound"), "Ready")["message"] for word in words)
        _told(server, "basemodel", "sound", None, ("EngineFailed", *words))
    finally:
        server.kubectl("delete", "pod", "engine-0", "-n", PLATFORM, "--force", "--grace-period=0")


REFUSED: dict[str, tuple[Item, tuple[str, ...]]] = {
    "a scheme that nobody reads": (thing("BaseModel", "x", source="ftp://x"), ("where the model lies", "hf://")),
    "an argument that runs code": (
        thing("BaseModel", "x", source="hf://o/m", engineArgs=["--worker-cls", "x"]),
        ("engineArgs may set", "docs/objects.md"),
    ),
    "fewer slots than a batch has": (
        thing("BaseModel", "x", source="hf://o/m", lora={"slots": 4, "cpuSlots": 2}), ("at least slots", "raise"),
    ),
    "no quantity": (
        thing("BaseModel", "x", source="hf://o/m", resources={"limits": {"memory": "much"}}),
        ("memory", "should match"),
    ),
}  # fmt: skip


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_as_it_is_applied(server: ApiServer, what: str) -> None:
    item, words = REFUSED[what]
    with pytest.raises(RuntimeError) as caught:
        server.apply(item)
    assert all(word in str(caught.value) for word in words), caught.value


def test_they_are_twenty() -> None:
    assert len(OBJECTS) + len(PODS) + len(REFUSED) == 20
