"""Objects that are wrong, and objects that are in each other's way: the right word on the right one, and no other
disturbed."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from contract.conditions import ACCEPTED, CLAIM_NOT_MOUNTED, FETCHING_MODEL, NOT_APPLIED, READY
from tests.api_server.parts import condition, free_lease, get, is_ready, namespace, operator, reason, thing, wait_until
from tests.api_server.server import ApiServer


@pytest.fixture(scope="module")
def running(server: ApiServer) -> Iterator["subprocess.Popen[bytes]"]:
    """A base model that two of three tenants may use, and an operator."""
    server.apply(namespace("quiver"), namespace("loose"))
    server.apply(
        thing("BaseModel", "base", source="hf://org/model", tenants=["one", "two"]),
        *(thing("Tenant", name, namespace=name) for name in ("one", "two", "three")),
    )
    free_lease(server)
    with operator(server, IDENTITY="objects") as found:
        for name in ("one", "two", "three"):
            wait_until(lambda name=name: is_ready(server, "tenant", name), f"tenant {name}")  # type: ignore[misc]
        yield found
        server.kubectl("delete", "tenant", "one", "two", "three", "thief", "--ignore-not-found", "--timeout=60s")
        server.kubectl("delete", "basemodel", "base")


def _replicas(server: ApiServer, deployment: str) -> int | None:
    found = get(server, "deployment", deployment, "quiver")
    return int(found["spec"]["replicas"]) if found else None


def _jobs_of(server: ApiServer, base: str) -> list[str]:
    text = server.kubectl("get", "jobs", "-n", "quiver", "-l", f"quiver.dev/base-model={base}", "-o", "name").stdout
    return [name.removeprefix("job.batch/") for name in text.split()]


def _complete(server: ApiServer, job: str) -> None:
    """What a job's controller would say."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    ends = [{"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now}
            for kind in ("SuccessCriteriaMet", "Complete")]  # fmt: skip
    status = {"conditions": ends, "startTime": now, "completionTime": now, "succeeded": 1}
    patch = json.dumps({"status": status})
    server.kubectl("patch", "job", job, "-n", "quiver", "--subresource=status", "--type=merge", "-p", patch)


def _adapter(name: str, within: str, base: str = "base") -> dict[str, Any]:
    return thing("Adapter", name, within, baseModel=base, source="s3://bucket/adapter")


@pytest.mark.usefixtures("running")
class TestWords:
    def test_a_tenant_gets_a_namespace_of_its_own(self, server: ApiServer) -> None:
        assert (get(server, "namespace", "one") or {})["metadata"]["labels"]["quiver.dev/tenant"] == "one"
        assert get(server, "networkpolicy", "quiver-deny-ingress", "one")
        quota = (get(server, "resourcequota", "quiver-tenant", "one") or {})["spec"]["hard"]
        assert quota["count/adapters.quiver.dev"] == "32"
        binding = get(server, "rolebinding", "quiver-tenant", "one") or {}
        assert binding["subjects"][0]["name"] == "quiver:tenant:one"

    def test_engines_that_cannot_be_as_asked_are_said_to_be_so_and_what_runs_is_looked_after(
        self, server: ApiServer
    ) -> None:
        odd = {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}
        server.apply(thing("BaseModel", "odd", source="hf://org/model", resources=odd))
        wait_until(lambda: reason(server, "basemodel", "odd") == NOT_APPLIED, "the word")
        assert "limit" in condition(get(server, "basemodel", "odd"), ACCEPTED)["message"]
        assert condition(get(server, "basemodel", "odd"), READY)
        server.apply(thing("BaseModel", "odd", source="hf://org/model"))
        wait_until(lambda: reason(server, "basemodel", "odd") == "Valid", "the engines")
        server.kubectl("delete", "basemodel", "odd")

    def test_a_model_is_fetched_into_a_claim_before_its_engines_are_made(self, server: ApiServer) -> None:
        cache = {"size": "1Gi", "accessMode": "ReadWriteOnce"}
        server.apply(thing("BaseModel", "cached", source="hf://org/model@v1", cache=cache))
        wait_until(lambda: reason(server, "basemodel", "cached", of=READY) == FETCHING_MODEL, "the word")
        claim = get(server, "pvc", "model-cached", "quiver") or {}
        assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"
        (job,) = _jobs_of(server, "cached")
        assert get(server, "deployment", "engine-cached", "quiver") is None
        _complete(server, job)
        wait_until(lambda: get(server, "deployment", "engine-cached", "quiver"), "the engines")

    @pytest.mark.parametrize("fewest", [0, 1])
    def test_needed_engines_that_an_autoscaler_leaves_at_zero_are_started(self, server: ApiServer, fewest: int) -> None:
        scaling = {"minReplicas": fewest, "maxReplicas": 3}
        server.apply(thing("BaseModel", "scaled", source="hf://org/model", autoscaling=scaling))
        wait_until(lambda: _replicas(server, "engine-scaled") == 1, "an engine")
        scaler = get(server, "hpa", "engine-scaled", "quiver") or {}
        assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (1, 3)
        server.kubectl("scale", "deployment", "engine-scaled", "-n", "quiver", "--replicas=0")
        wait_until(lambda: _replicas(server, "engine-scaled") == 1, "an engine again")
        server.kubectl("scale", "deployment", "engine-scaled", "-n", "quiver", "--replicas=2")
        server.apply(_adapter("nudge", "one", "scaled"))  # looked at again
        wait_until(lambda: reason(server, "adapter", "nudge", "one"), "a word")
        assert _replicas(server, "engine-scaled") == 2
        server.kubectl("delete", "adapter", "nudge", "-n", "one")
        server.kubectl("delete", "basemodel", "scaled")
        server.kubectl("delete", "deployment,hpa,service,pdb", "engine-scaled", "-n", "quiver")

    def test_engines_stay_while_another_revision_is_fetched(self, server: ApiServer) -> None:
        before = (get(server, "deployment", "engine-cached", "quiver") or {})["metadata"]["generation"]
        (first,) = _jobs_of(server, "cached")
        cache = {"size": "1Gi", "accessMode": "ReadWriteOnce"}
        server.apply(thing("BaseModel", "cached", source="hf://org/model@v2", cache=cache))
        wait_until(lambda: _jobs_of(server, "cached") not in ([], [first]), "another job")
        (second,) = _jobs_of(server, "cached")
        assert (get(server, "deployment", "engine-cached", "quiver") or {})["metadata"]["generation"] == before
        _complete(server, second)
        wait_until(
            lambda: (get(server, "deployment", "engine-cached", "quiver") or {})["metadata"]["generation"] > before,
            "engines of the other revision",
        )
        server.kubectl("delete", "basemodel", "cached")
        server.kubectl("delete", "deployment,job,pvc", "-n", "quiver", "-l", "quiver.dev/base-model=cached",
                       "--wait=false")  # fmt: skip

    def test_a_model_on_a_claim_that_engines_do_not_have_is_told_so(self, server: ApiServer) -> None:
        server.apply(thing("BaseModel", "claimed", source="pvc://elsewhere/llama"))
        wait_until(lambda: reason(server, "basemodel", "claimed") == CLAIM_NOT_MOUNTED, "the word")
        assert get(server, "deployment", "engine-claimed", "quiver") is None
        server.kubectl("delete", "basemodel", "claimed")

    def test_of_two_tenants_with_one_namespace_the_first_keeps_it(self, server: ApiServer) -> None:
        server.apply(thing("Tenant", "thief", namespace="one"))
        wait_until(lambda: reason(server, "tenant", "thief") == "NamespaceTaken", "the word")
        assert is_ready(server, "tenant", "one")
        assert (get(server, "namespace", "one") or {})["metadata"]["labels"]["quiver.dev/tenant"] == "one"

    @pytest.mark.parametrize(
        ("name", "within", "base", "word"),
        [
            ("stray", "loose", "base", "NamespaceHasNoTenant"),
            ("baseless", "one", "missing", "BaseModelDoesNotExist"),
            ("greedy", "three", "base", "BaseModelNotAllowed"),
            ("base", "one", "base", "NameTaken"),
        ],
    )
    def test_an_adapter_that_may_not_be_is_told_why(
        self, server: ApiServer, name: str, within: str, base: str, word: str
    ) -> None:
        server.apply(_adapter(name, within, base))
        wait_until(lambda: reason(server, "adapter", name, within) == word, word)
        assert reason(server, "adapter", name, within, of=READY) == word

    def test_adapters_of_one_name_in_two_namespaces_are_two(self, server: ApiServer) -> None:
        server.apply(_adapter("same", "one"), _adapter("same", "two"))
        for within in ("one", "two"):
            wait_until(lambda within=within: reason(server, "adapter", "same", within) == "Valid", within)  # type: ignore[misc]

    def test_an_adapter_counts_as_soon_as_what_it_lacked_is_there(self, server: ApiServer) -> None:
        server.apply(_adapter("early", "one", "late"))
        wait_until(lambda: reason(server, "adapter", "early", "one") == "BaseModelDoesNotExist", "the refusal")
        server.apply(thing("BaseModel", "late", source="hf://org/other", tenants=["*"]))
        wait_until(lambda: reason(server, "adapter", "early", "one") == "Valid", "the acceptance")
        server.kubectl("delete", "basemodel", "late")
        wait_until(lambda: reason(server, "adapter", "early", "one") == "BaseModelDoesNotExist", "the refusal")

    def test_over_the_cap_the_next_in_order_moves_up_when_one_leaves(self, server: ApiServer) -> None:
        server.apply(thing("Tenant", "two", namespace="two", maxAdapters=2))
        server.apply(_adapter("b", "two"), _adapter("c", "two"))
        wait_until(lambda: reason(server, "adapter", "same", "two") == "TooManyAdapters", "one too many")
        server.kubectl("delete", "adapter", "b", "-n", "two")
        wait_until(lambda: reason(server, "adapter", "same", "two") == "Valid", "a place")

    def test_a_key_stops_counting_when_it_expires_without_anything_else_happening(self, server: ApiServer) -> None:
        soon = (datetime.now(UTC) + timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        server.apply(thing("APIKey", "brief", "one", sha256="a" * 64, expiresAt=soon))
        wait_until(lambda: is_ready(server, "apikey", "brief", "one"), "a key that counts")
        wait_until(lambda: reason(server, "apikey", "brief", "one") == "Expired", "its end", 15)

    def test_a_copy_of_a_keys_digest_takes_nothing_from_it(self, server: ApiServer) -> None:
        server.apply(thing("APIKey", "copy", "two", sha256="b" * 64))
        server.apply(thing("APIKey", "real", "one", sha256="b" * 64))
        wait_until(lambda: is_ready(server, "apikey", "real", "one"), "the key")

    def test_an_adapter_whose_secret_is_missing_is_told_so_and_goes_on_when_it_comes(self, server: ApiServer) -> None:
        server.apply(
            thing("Adapter", "private", "one", baseModel="base", source="s3://bucket/private", credentials="bucket")
        )

        def fetched() -> str:
            return reason(server, "adapter", "private", "one", of="Fetched")

        wait_until(lambda: fetched() == "SecretMissing", "the word")
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bucket", "namespace": "one"}}
        server.apply({**secret, "stringData": {"AWS_ACCESS_KEY_ID": "a"}})
        wait_until(lambda: fetched() == "Fetching", "the next word", 20)

    def test_an_annotation_that_no_parser_gets_to_the_end_of_disturbs_nobody(self, server: ApiServer) -> None:
        bomb = _adapter("bomb", "one")
        bomb["metadata"]["annotations"] = {"quiver.dev/decision": "[" * 200_000}
        server.apply(bomb, _adapter("after-bomb", "one"))
        for name in ("bomb", "after-bomb"):
            wait_until(partial(reason, server, "adapter", name, "one"), name)

    def test_the_platforms_own_namespace_is_no_tenants(self, server: ApiServer) -> None:
        server.apply(thing("Tenant", "intruder", namespace="quiver"))
        wait_until(lambda: reason(server, "tenant", "intruder") == "NamespaceTaken", "the word")
        assert get(server, "networkpolicy", "quiver-deny-ingress", "quiver") is None
        server.kubectl("delete", "tenant", "intruder")

    def test_a_tenants_namespace_is_put_right_when_somebody_changes_it(self, server: ApiServer) -> None:
        server.kubectl("label", "namespace", "one", "quiver.dev/tenant=two", "--overwrite")
        wait_until(
            lambda: (get(server, "namespace", "one") or {})["metadata"]["labels"]["quiver.dev/tenant"] == "one", "one"
        )
        server.kubectl("delete", "networkpolicy", "quiver-deny-ingress", "-n", "one")
        wait_until(lambda: get(server, "networkpolicy", "quiver-deny-ingress", "one"), "the policy")

    def test_people_see_in_describe_what_happened(self, server: ApiServer) -> None:
        server.apply(_adapter("told", "one", "missing"))
        wait_until(lambda: reason(server, "adapter", "told", "one"), "a word")
        wait_until(
            lambda: (
                "there is no BaseModel missing" in server.kubectl("describe", "adapter", "told", "-n", "one").stdout
            ),
            "the event",
        )

    def test_engine_objects_are_put_right_when_somebody_changes_them(self, server: ApiServer) -> None:
        place = ("-n", "quiver")
        wait_until(lambda: get(server, "deployment", "engine-base", "quiver"), "the engines")
        server.kubectl("scale", "deployment", "engine-base", "--replicas=7", *place)
        wait_until(
            lambda: (get(server, "deployment", "engine-base", "quiver") or {})["spec"]["replicas"] == 1, "one replica"
        )
        server.kubectl("delete", "service", "engine-base", *place)
        wait_until(lambda: get(server, "service", "engine-base", "quiver"), "the service")

    def test_an_autoscaler_comes_and_goes_with_its_field(self, server: ApiServer) -> None:
        def scaled(**more: object) -> dict[str, object]:
            return thing("BaseModel", "base", source="hf://org/model", tenants=["one", "two"], **more)

        server.apply(scaled(autoscaling={"maxReplicas": 3}))
        wait_until(lambda: get(server, "hpa", "engine-base", "quiver"), "the autoscaler")
        server.kubectl("scale", "deployment", "engine-base", "--replicas=3", "-n", "quiver")
        server.apply(scaled())
        wait_until(lambda: not get(server, "hpa", "engine-base", "quiver"), "the end of the autoscaler")

    def test_a_tenant_that_leaves_takes_everything_along_and_a_record_says_so(self, server: ApiServer) -> None:
        server.apply(thing("Tenant", "brief", namespace="brief"))
        wait_until(lambda: is_ready(server, "tenant", "brief"), "the tenant")
        server.apply(
            _adapter("left", "brief"),
            thing("APIKey", "left", "brief", sha256="c" * 64),
            thing("KnowledgeBase", "left", "brief", sources=[{"path": "/documents/brief"}]),
        )
        wait_until(lambda: reason(server, "knowledgebase", "left", "brief") == "Valid", "the knowledge base")
        server.kubectl("delete", "tenant", "brief", "--timeout=30s")
        assert get(server, "adapter", "left", "brief") is None
        assert get(server, "apikey", "left", "brief") is None
        assert get(server, "knowledgebase", "left", "brief") is None
        assert (get(server, "configmap", "offboarded-brief", "quiver") or {})["data"]["namespace"] == "brief"
