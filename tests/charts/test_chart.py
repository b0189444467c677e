"""The chart renders to what clusters take, is safe by default, and refuses what it does not know."""

import json
import re
import subprocess
import urllib.request

import pytest
import yaml

from tests.api_server.server import ApiServer
from tests.charts.helm import CHART, KUBERNETES, PROFILES, helm, of_kind, pods, program, rendered

# A variable that is put together from others.
OF_OTHERS = re.compile(r"(\$\(\w+\),?)+")
# One of those that kubeconform fetches.
SCHEMAS = (
    "https://raw.githubusercontent.com/yannh/kubernetes-json-schema/master/v1.30.0-standalone-strict/service-v1.json"
)


@pytest.mark.parametrize("profile", PROFILES)
def test_helm_finds_nothing_to_complain_of(profile: str) -> None:
    values = str(CHART / f"ci/{profile}-values.yaml")
    done = helm("lint", "--strict", str(CHART), "--values", values, "--kube-version", KUBERNETES[1])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_object_is_one_that_the_api_server_takes(server: ApiServer, profile: str, kubernetes: str) -> None:
    """But for kinds of others, which this one does not know."""
    known = [item for item in rendered(profile, kubernetes=kubernetes) if not _foreign(item["apiVersion"])]
    assert known
    server.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-",
                   stdin=yaml.safe_dump_all(known))  # fmt: skip


def _foreign(api_version: str) -> bool:
    return api_version.startswith(("monitoring.coreos.com", "gateway.networking.k8s.io"))


_WITH_RIGHTS = ("quiver-gateway", "quiver-operator", "quiver-management")


@pytest.mark.parametrize("profile", PROFILES)
def test_no_pod_has_rights_that_it_does_not_need(profile: str) -> None:
    for name, pod in pods(profile).items():
        spec = pod["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not any(spec.get(field) for field in ("hostNetwork", "hostPID", "hostIPC")), name
        assert spec.get("automountServiceAccountToken") is False or name in _WITH_RIGHTS
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }, name  # fmt: skip


def test_no_secret_stands_in_a_pod_and_no_pod_is_without_requests_and_limits() -> None:
    for name, pod in pods("default").items():
        for container in pod["spec"]["containers"]:
            tokens = [item for item in container.get("env", ()) if item["name"].endswith(("TOKEN", "KEY"))]
            assert all("valueFrom" in item or OF_OTHERS.fullmatch(item["value"]) for item in tokens), name
            assert name == "quiver-test" or {"requests", "limits"} <= container["resources"].keys(), name


@pytest.mark.parametrize("part", ["gateway", "operator", "retrieval"])
def test_what_has_replicas_loses_one_at_a_time(part: str) -> None:
    budget = of_kind("default", "PodDisruptionBudget")[f"quiver-{part}"]["spec"]
    assert budget["maxUnavailable"] == 1
    labels = of_kind("default", "Deployment")[f"quiver-{part}"]["spec"]["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_a_gateway_that_goes_answers_what_it_has() -> None:
    deployment = of_kind("default", "Deployment")["quiver-gateway"]["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    pod = deployment["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > 600
    assert pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5


def test_definitions_and_what_holds_state_stay_when_the_chart_goes() -> None:
    kept = {"CustomResourceDefinition", "PersistentVolumeClaim", "Secret"}
    for item in rendered("default"):
        policy = item["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
        assert (policy == "keep") == (item["kind"] in kept), item["metadata"]["name"]


@pytest.mark.parametrize(("part", "secret"), [("retrieval", "readers"), ("ingest", "writers")])
def test_search_and_ingest_may_be_two_users_of_a_milvus_with_a_private_authority(part: str, secret: str) -> None:
    settings = ("milvus.tokenSecret=writers", "milvus.searchTokenSecret=readers", "milvus.caSecret=authority")
    deployment = of_kind("default", "Deployment", *settings, "milvus.uri=https://milvus.example:19530")
    pod = deployment[f"quiver-{part}"]["spec"]["template"]["spec"]
    environment = {item["name"].partition("_MILVUS_")[2]: item for item in pod["containers"][0]["env"]}
    assert environment["TOKEN"]["valueFrom"]["secretKeyRef"] == {"name": secret, "key": "token"}
    assert environment["CA"]["value"] == "/etc/milvus/ca.crt"
    items = [{"key": "ca.crt", "path": "ca.crt"}]
    assert {"name": "milvus-ca", "secret": {"secretName": "authority", "items": items}} in pod["volumes"]
    assert any(mount["mountPath"] == "/etc/milvus" for mount in pod["containers"][0]["volumeMounts"])


WRONG = (
    "gateway.replica=3", "gateway.replicas=0", "gateway.replicas=many", "gateway.service.type=Public",
    "milvus.uri=milvus", "image.pullPolicy=Sometimes",
    "gateway.resources.requests.cpu=lots", "documents.accessMode=Often", "unknown=1",
    "milvus.uri=http://milvus:0", "gateway.resources.requests.cpu=-5", "image.repository=Bad Repo",
    "networkPolicy.apiServerPorts={}", "monitoring.rules=perhaps", "kserve=yes please", "operator.replicas=11",
    "image.tag=Bad Tag", "engine.image=UPPER CASE", "ingest.storage.className=Not A Class", "documents.size=0",
    "milvus.uri=https://h:70000", "milvus.uri=http://bad host:19530", "gateway.ingress.host=a..b-",
    "gateway.httpRoute.hostnames={NOT A HOST}", "monitoring.labels.x=a b", "image.registry=Bad Mirror",
    "image.digests.gateway=latest", "openshift=perhaps", "milvus.tenancy=Mixed",
    "retrieval.embedder=http://no-port", "pods.labels.x=a b",
)  # fmt: skip


@pytest.mark.parametrize("setting", WRONG)
def test_a_wrong_value_is_refused_by_its_name(setting: str) -> None:
    name = setting.partition("=")[0]
    with pytest.raises(RuntimeError) as refused:
        rendered("default", setting)
    *path, last = name.split(".")
    assert "/".join(("", *path)) in str(refused.value)
    assert last in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (("gateway.autoscaling.enabled=true", "gateway.autoscaling.minReplicas=20"), "gateway.autoscaling.maxReplicas"),
        (("monitoring.podMonitors=true",), "networkPolicy.monitoringNamespace"),
        (("gateway.httpRoute.enabled=true",), "gateway.httpRoute.parentRefs"),
        (("pods.env.QUIVER_GATEWAY_HOST=x",), "pods.env: QUIVER_GATEWAY_HOST"),
        (("milvus.caSecret=authority", "milvus.uri=http://milvus:19530"), "milvus.uri"),
    ],
)
def test_values_that_do_not_go_together_are_refused_by_name(settings: tuple[str, ...], word: str) -> None:
    with pytest.raises(RuntimeError, match=word):
        rendered("default", *settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            ("monitoring.podMonitors=true", "networkPolicy.monitoringNamespace.name=m"),
            "the cluster knows no PodMonitor",
        ),
        (("monitoring.rules=true",), "the cluster knows no PrometheusRule"),
        (("monitoring.rules=true",), "no default StorageClass"),
    ],
)
def test_what_a_cluster_lacks_is_said_after_the_install_with_what_to_do(
    server: ApiServer, settings: tuple[str, ...], words: str
) -> None:
    """The API server here knows nothing of either."""
    chosen = [word for setting in settings for word in ("--set", setting)]
    where = ("--kubeconfig", str(server.kubeconfig), "--namespace", "quiver", "--take-ownership")
    done = helm("install", "quiver", str(CHART), "--dry-run=server", *where, *chosen)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout
    assert "kind: PodMonitor" not in done.stdout
    assert "kind: PrometheusRule" not in done.stdout


def test_a_cluster_that_is_too_old_is_refused_with_what_it_should_be() -> None:
    with pytest.raises(RuntimeError, match=r"requires kubeVersion: >=1\.30\.0"):
        rendered("default", kubernetes="1.29.9")


def test_what_monitors_carry_is_up_to_the_prometheus_there_is() -> None:
    for kind in ("PodMonitor", "PrometheusRule"):
        found = of_kind("ha", kind, "monitoring.labels.release=prometheus")
        assert found
        assert all(item["metadata"]["labels"]["release"] == "prometheus" for item in found.values())


def test_what_engines_need_of_a_cluster_reaches_the_operator() -> None:
    pod = of_kind(
        "gpu", "Deployment", "image.pullPolicy=Always", "engine.hubSecret=hub", "engine.nodeSelector.pool=gpu"
    )["quiver-operator"]
    told = {item["name"]: item.get("value") for item in pod["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert told["QUIVER_OPERATOR_PULL_SECRETS"] == '["registry"]'
    assert told["QUIVER_OPERATOR_PULL_POLICY"] == "Always"
    assert told["QUIVER_OPERATOR_NODE_SELECTOR"] == '{"pool":"gpu"}'
    assert told["QUIVER_OPERATOR_HUB_SECRET"] == "hub"


def test_where_adapters_may_come_from_and_what_is_trusted_reaches_agents_and_engines() -> None:
    told = _operator_environment(
        "agent.privateHosts[0]=minio.storage.svc:9000", "agent.proxy=http://proxy:3128", "caConfigMap=corporate",
        "engine.env.HF_ENDPOINT=https://mirror", "engine.serviceAccountName=models", "secret.revision=two",
    )  # fmt: skip
    settings = json.loads(told["QUIVER_OPERATOR_AGENT_SETTINGS"])
    assert json.loads(settings["PRIVATE_HOSTS"]) == ["minio.storage.svc:9000"]
    assert (settings["PROXY"], settings["MAX_BYTES"]) == ("http://proxy:3128", "2147483648")
    assert told["QUIVER_OPERATOR_CA_CONFIG_MAP"] == "corporate"
    assert json.loads(told["QUIVER_OPERATOR_ENGINE_ENVIRONMENT"]) == {"HF_ENDPOINT": "https://mirror"}
    assert told["QUIVER_OPERATOR_SERVICE_ACCOUNT"] == "models"
    assert told["QUIVER_OPERATOR_SECRET_REVISION"] == "two"


def test_pods_carry_what_a_platform_team_adds_and_keep_what_selects_them() -> None:
    added = (
        "pods.labels.team=ml", "pods.labels.app\\.kubernetes\\.io/component=another", "pods.annotations.note=ours",
        "pods.env.HTTPS_PROXY=http://proxy:3128",
        "pods.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1",
    )  # fmt: skip
    for name, deployment in of_kind("default", "Deployment", *added).items():
        template, part = deployment["spec"]["template"], name.removeprefix("quiver-")
        labels = template["metadata"]["labels"]
        assert (labels["team"], labels["app.kubernetes.io/component"]) == ("ml", part)
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert template["metadata"]["annotations"] == {"note": "ours"}
        assert "nodeAffinity" in template["spec"]["affinity"]
        variables = template["spec"]["containers"][0].get("env", ())
        assert part == "milvus" or {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in variables


def test_images_come_from_a_mirror_and_by_digest() -> None:
    digest = f"sha256:{'a' * 64}"
    settings = ("image.registry=mirror.example.com:5000/all", f"image.digests.gateway={digest}",
                f"image.digests.agent={digest}")  # fmt: skip
    images = {
        name: deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        for name, deployment in of_kind("default", "Deployment", *settings).items()
    }
    assert images["quiver-gateway"] == f"mirror.example.com:5000/all/quiver/gateway@{digest}"
    assert all(image.startswith("mirror.example.com:5000/all/quiver/") for image in images.values())
    environment = _operator_environment(*settings)
    assert environment["QUIVER_OPERATOR_AGENT_IMAGE"] == f"mirror.example.com:5000/all/quiver/agent@{digest}"
    assert environment["QUIVER_OPERATOR_ENGINE_IMAGE"].startswith("mirror.example.com:5000/all/vllm/")
    named = _operator_environment(*settings, "engine.image=registry.example.com/vllm:1")
    assert named["QUIVER_OPERATOR_ENGINE_IMAGE"] == "registry.example.com/vllm:1"


def test_on_openshift_no_pod_names_a_user() -> None:
    for name, deployment in of_kind("default", "Deployment", "openshift=true").items():
        context = deployment["spec"]["template"]["spec"]["securityContext"]
        assert context["runAsNonRoot"], name
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & context.keys(), name
    assert _operator_environment("openshift=true")["QUIVER_OPERATOR_OPENSHIFT"] == "true"


def test_another_revision_of_the_secret_starts_every_part_anew_that_has_a_key() -> None:
    parts = {
        name: deployment["spec"]["template"]["metadata"].get("annotations")
        for name, deployment in of_kind("default", "Deployment", "secret.revision=two").items()
    }
    assert parts.pop("quiver-milvus") is None
    assert all(annotations == {"quiver.dev/secret-revision": "two"} for annotations in parts.values())


def test_every_pair_of_parts_has_a_key_of_its_own() -> None:
    used: dict[str, set[str]] = {}
    for name, pod in pods("default").items():
        for container in pod["spec"]["containers"]:
            for item in container.get("env", ()):
                reference = item.get("valueFrom", {}).get("secretKeyRef", {})
                if reference.get("name") == "quiver-internal" and not reference.get("optional"):
                    used.setdefault(reference["key"], set()).add(name)
    secret = of_kind("default", "Secret")["quiver-internal"]
    assert set(secret["data"]) == {*used, "operator-agent"}  # the agent's pods are the operator's to make
    assert used.pop("engine-api-key") == {"quiver-gateway"}
    assert used.pop("platform-key") == {"quiver-management"}  # a person has it
    assert used.pop("console-metrics") == {"quiver-console"}  # Prometheus has it
    assert all(len(parts) == 2 for key, parts in used.items() if key != "operator-agent"), used


def test_a_chart_that_is_rendered_twice_with_a_secret_of_ones_own_is_the_same() -> None:
    first, second = (rendered.__wrapped__("default", "secret.existing=mine") for _ in range(2))
    assert first == second
    assert not any(item["kind"] == "Secret" for item in first)


def _operator_environment(*values: str) -> dict[str, str]:
    pod = of_kind("default", "Deployment", *values)["quiver-operator"]
    return {item["name"]: item.get("value") for item in pod["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_the_schema_knows_every_value() -> None:
    text = (CHART / "values.yaml").read_text()
    assert len(text.splitlines()) <= 300
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert _differences(yaml.safe_load(text), schema) == []


def _differences(values: object, schema: dict[str, object], path: str = "") -> list[str]:
    properties = schema.get("properties")
    if not isinstance(values, dict) or not isinstance(properties, dict):
        return []
    found = [f"{path}.{name}" for name in values.keys() ^ (properties.keys() - {"global"})
             if path.rpartition(".")[2] != "resources"]  # fmt: skip
    return found + [
        fault
        for name in values.keys() & properties
        for fault in _differences(values[name], properties[name], f"{path}.{name}")
    ]


def test_every_metric_that_a_rule_or_a_panel_asks_for_is_one_of_ours() -> None:
    texts = [path.read_text() for path in (CHART / "monitoring").iterdir()]
    asked = {name for text in texts for name in re.findall(r"\bquiver_[a-z0-9_]+", text)}
    sources = (CHART.parents[1] / part for part in ("serving", "operators", "retrieval", "service", "kube"))
    code = "\n".join(path.read_text() for root in sources for path in root.rglob("*metrics.py"))
    missing = {name for name in asked if not _is_declared(name, code)}
    assert asked
    assert missing == set()


def _is_declared(name: str, code: str) -> bool:
    plain = re.sub(r"_(total|bucket|count|sum)$", "", name)
    short = plain.removeprefix("quiver_gateway_")
    return f'"{plain}"' in code or f'"{short}"' in code


@pytest.mark.parametrize(
    "key", ["engine.tolerations", "tolerations", "gateway.allowFrom", "gateway.httpRoute.parentRefs"]
)
def test_a_list_takes_no_unknown_field(key: str) -> None:
    with pytest.raises(RuntimeError, match=key.replace(".", "/")):
        rendered("default", f"{key}[0].nme=x")


@pytest.fixture(scope="module")
def schemas() -> None:
    """kubeconform itself tries for half a minute."""
    try:
        with urllib.request.urlopen(SCHEMAS, timeout=5):
            pass
    except OSError:
        pytest.skip("the schemas of Kubernetes cannot be fetched here; the API server's dry run checks the newest")


@pytest.mark.usefixtures("schemas")
@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("profile", PROFILES)
def test_rendered_objects_fit_the_schemas_of_kubernetes(profile: str, kubernetes: str) -> None:
    done = subprocess.run(
        [program("kubeconform"), "-strict", "-ignore-missing-schemas", "-kubernetes-version", kubernetes, "-"],
        input=yaml.safe_dump_all(rendered(profile)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_pages_of_other_origins_are_let_in_only_where_values_say_so() -> None:
    def origins(*settings: str) -> list[str]:
        gateway = of_kind("default", "Deployment", *settings)["quiver-gateway"]
        environment = gateway["spec"]["template"]["spec"]["containers"][0]["env"]
        return [item["value"] for item in environment if item["name"] == "QUIVER_GATEWAY_CORS_ORIGINS"]

    assert origins() == []
    assert origins("gateway.corsOrigins[0]=https://chat.example") == ['["https://chat.example"]']


def test_jobs_are_run_only_where_they_are_wanted() -> None:
    without, with_jobs = _operator_environment(), _operator_environment("tuning.enabled=true")
    assert not any("TRAIN" in name for name in without)
    assert with_jobs["QUIVER_OPERATOR_TRAININGS"] == "quiver-tuning"
    assert with_jobs["QUIVER_OPERATOR_TRAINER_IMAGE"].startswith("quiver/trainer:")
    assert with_jobs["QUIVER_OPERATOR_DOCUMENTS_CLAIM"] == "quiver-documents"
    assert "QUIVER_OPERATOR_DELEGATION_SECRET" in with_jobs
    assert "quiver-tuning" in of_kind("default", "PersistentVolumeClaim", "tuning.enabled=true")
    rights = of_kind("default", "Role")["quiver-operator"]["rules"]
    assert not any("secrets" in rule["resources"] for rule in rights)
