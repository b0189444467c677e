"""`make e2e`: install the chart on a real cluster, serve the demo, break what can break, and take all of it away.

Images are built, an engine runs in a pod, and callers of two tenants ask without a pause, from a pod of their own.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.load import CUT
from benchmarks.report import Bar, report
from contract.names import API_VERSION
from examples.demo import training
from tests.e2e import console, demo, images, smoke
from tests.e2e.changes import Changes
from tests.e2e.cluster import NAMESPACE, Cluster, Data, cluster
from tests.e2e.traffic import Told, Traffic

CHART = images.HERE / "charts/quiver"
NODE = images.HERE.parent / "shared/cluster/node"
BASES = ("basemodel", demo.BASE)
TRAIN_S = 900.0
SLEEPER = "sleeper"
HOLD_S = 280  # longer than an engine takes to start


class Run:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.begun = time.monotonic()
        self.seconds: dict[str, float] = {}
        self.bars: dict[str, Bar] = {}
        self.changes = Changes(cluster, self.helm)
        self.excused = 0
        self.keys, self.key_objects = demo.keys()
        self.notes: list[str] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        print(f"{begun - self.begun:7.1f} s  {name} …", flush=True)
        yield
        self.seconds[name] = time.monotonic() - begun
        self.notes.append(f"{name}: {self.seconds[name]:.1f} s")

    # Install -------------------------------------------------------------------------------------------------

    def install(self) -> None:
        with self.step("images"):
            images.build()
            faults = list(smoke.faults())
            self.notes += faults
            self.bars["images"] = Bar(len(faults), 0, "faults", at_most=True)
            images.load(self.cluster)
        with self.step("storage"):
            self.cluster.kubectl("create", "namespace", NAMESPACE)
            self.cluster.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
            self.cluster.apply(*demo.volumes(), demo.test_secret(self.keys["acme"]))
        with self.step("helm install"):
            self.helm("install")
        with self.step("objects"):
            self.apply_objects()

    def helm(self, verb: str, **values: object) -> None:
        values_file = demo.STATE / "values.yaml"
        values_file.write_text(yaml.safe_dump({**demo.VALUES, **values}))
        self.cluster.helm(verb, "quiver", str(CHART), "--values", str(values_file), "--wait", "--timeout", "5m")

    def apply_objects(self) -> None:
        of_tenants = [item for item in demo.objects() if "namespace" in item["metadata"]]
        self.cluster.apply(*(item for item in demo.objects() if "namespace" not in item["metadata"]))
        for tenant in ("acme", "globex"):
            self.cluster.wait(partial(self.cluster.is_ready, "tenant", tenant), f"tenant {tenant}")
        self.cluster.apply(*of_tenants, *self.key_objects)

    # Serve ---------------------------------------------------------------------------------------------------

    def serve(self, traffic: Traffic) -> None:
        with self.step("first answer"):
            self.cluster.wait(lambda: traffic.answered_by("acme", "", since=0), "an answer")
            for tenant, adapter in (("acme", "support"), ("acme", "api"), ("globex", "desk"), ("globex", "brief")):
                self.cluster.wait(partial(self.cluster.is_ready, "adapter", adapter, tenant), f"adapter {adapter}")
            for tenant, base in (("acme", "handbook"), ("globex", "manuals")):
                self.cluster.wait(partial(self.cluster.is_ready, "knowledgebase", base, tenant), f"documents {base}")
        install = sum(self.seconds[name] for name in ("helm install", "objects", "first answer"))
        self.notes.append(f"from helm install to the first answer: {install:.0f} s")
        with self.step("questions"):
            faults = traffic.questions()
            self.notes += faults
            self.bars["questions"] = Bar(len(faults), 0, "faults", at_most=True)
            print(self.cluster.kubectl("get", "basemodels,tenants"))
            print(self.cluster.kubectl("get", "adapters,knowledgebases", "--all-namespaces"))

        with self.step("quiver doctor"):
            print(self.quiver("doctor", "cluster"))
        with self.step("console"):
            faults = traffic.console()
            self.notes += faults
            self.bars["console"] = Bar(len(faults), 0, "faults", at_most=True)
        with self.step("bad base models"):
            self.bad_base_models()
        with self.step("helm test"):
            self.cluster.helm("test", "quiver", "--timeout", "2m")
            print(self.cluster.kubectl("logs", "quiver-test"))
            self.cluster.kubectl("delete", "pod", "quiver-test")

    def quiver(self, *arguments: str) -> str:
        """The command's output. Raises RuntimeError if it ends with an error, as `doctor` does where something is
        missing."""
        return self.cluster.run(sys.executable, "-c", "from operators.cli import main; main()", *arguments)

    def bad_base_models(self) -> None:
        """What is wrong is said on each object, with what to do."""
        good = next(item["spec"] for item in demo.objects() if item["kind"] == "BaseModel")
        bad: dict[str, tuple[Data, str]] = {
            "no-image": ({"image": "localhost/there-is-none:1"}, "spec.image"),
            "no-memory": ({"resources": {"limits": {"memory": "256Mi"}}}, "spec.resources.limits.memory"),
            "no-room": ({"resources": {"requests": {"memory": "900Gi"}}}, "spec.resources"),
        }
        kind = {"apiVersion": API_VERSION, "kind": "BaseModel"}
        self.cluster.apply(
            *({**kind, "metadata": {"name": name}, "spec": {**good, **spec}} for name, (spec, _) in bad.items())
        )

        def said(name: str, remedy: str) -> bool:
            conditions = self.cluster.get("basemodel", name).get("status", {}).get("conditions", ())
            return any(c["reason"] == "EngineFailed" and remedy in c["message"] for c in conditions)

        for name, (_, remedy) in bad.items():
            self.cluster.wait(partial(said, name, remedy), f"a word about {name}", 180)
        self.cluster.kubectl("delete", "basemodel", *bad)

    def swap(self, traffic: Traffic) -> None:
        """Another version of acme's adapter."""
        begun = len(traffic.seen)
        self.cluster.apply(demo.adapter("acme-support-v2"))
        self.cluster.wait(lambda: traffic.answered_by("acme", "Thank you", since=begun) >= 3, "the second version")

    def prompt(self) -> None:
        """A prompt for acme's adapter, and none again: its content stays."""
        for prompt in ({"system": "Answer in one sentence."}, None):
            self.cluster.apply(demo.adapter("acme-support-v2", **({"prompt": prompt} if prompt else {})))
            self.cluster.wait(partial(self._is_prompted, prompt), f"the version with the prompt {prompt}")

    def _is_prompted(self, prompt: Data | None) -> bool:
        status = self.cluster.get("adapter", "support", "acme")["status"]
        active = status["active"]
        system = active.get("prompt", {}).get("system") == prompt["system"] if prompt else "prompt" not in active
        return system and status["acknowledged"] == active["generation"]

    # Train ---------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """A tenant's examples become an adapter that answers, although the first pod of the training is killed."""
        tune = training.fine_tune(demo.LEARNED, adapter={"name": "styled"})
        with self.step("train"):
            self.cluster.apply(tune, training.knowledge_base(demo.LEARNED))
            self.cluster.wait(lambda: self._training().get("step", 0) > 0, "the first step")
            self.cluster.kubectl(
                "delete", "pod", "-l", "app.kubernetes.io/component=trainer", "--force", "--grace-period=0"
            )
            self.cluster.wait(
                partial(self.cluster.is_ready, "finetune", training.TUNE, "acme"), "the training", TRAIN_S
            )
            self.cluster.wait(partial(self.cluster.is_ready, "adapter", "styled", "acme"), "the trained adapter")
            self._taught()
        result = self.cluster.get("finetune", training.TUNE, "acme")["status"]["result"]
        serves = self.cluster.get("adapter", "styled", "acme")["status"]["active"]["digest"] == result["digest"]
        self.bars["trained"] = Bar(int(serves), 1, "adapter")
        self.notes.append(f"trained: {json.dumps(result)}")

    def _taught(self) -> None:
        """What was begun at the console has learned the answers of its teacher."""
        self.cluster.wait(partial(self.cluster.is_ready, "adapter", console.TAUGHT, "acme"), "the lesson", TRAIN_S)
        lesson = self.cluster.get("finetune", console.TAUGHT, "acme")["status"]["result"]["teacher"]
        self.bars["taught"] = Bar(int(lesson.partition(" rows")[0]), len(console.WORDINGS), "answers")
        self.notes.append(f"taught: {lesson}")
        for kind in ("adapter", "finetune"):
            self.cluster.kubectl("delete", kind, console.TAUGHT, "-n", "acme")

    def _training(self) -> dict[str, Any]:
        found: dict[str, Any] = (
            self.cluster.get("finetune", training.TUNE, "acme").get("status", {}).get("training", {})
        )
        return found

    def compare(self) -> None:
        """Documents answer what the model alone cannot, as an Evaluation finds."""
        with self.step("compare"):
            self.cluster.apply(training.evaluation(demo.LEARNED, "styled"))
            compared = partial(self.cluster.is_ready, "evaluation", training.COMPARISON, "acme")
            self.cluster.wait(compared, "the comparison", TRAIN_S)
        result = self.cluster.get("evaluation", training.COMPARISON, "acme")["status"]["result"]
        scores = {each["name"]: each["score"] for each in result["variants"]}
        self.bars["compared"] = Bar(int(scores["documents"] > scores["base"]), 1, "comparison")
        self.notes.append(f"compared: {result['conclusion']} {scores}")
        print(self.cluster.kubectl("get", "finetunes,evaluations", "--all-namespaces"))

    # Scale to zero -------------------------------------------------------------------------------------------

    def scale_to_zero(self, traffic: Traffic) -> None:
        """A base model that nobody asks loses its engine; the next request waits for another one."""
        spec = next(item["spec"] for item in demo.objects() if item["kind"] == "BaseModel")
        scaling = {"minReplicas": 0, "maxReplicas": 1, "idleSeconds": 10, "holdSeconds": HOLD_S}
        base = {"apiVersion": API_VERSION, "kind": "BaseModel", "metadata": {"name": SLEEPER},
                "spec": {**spec, "autoscaling": scaling}}  # fmt: skip
        with self.step("to zero"):
            self.cluster.apply(base)
            self.cluster.wait(self._has_no_engine, "a base model without an engine", 2 * HOLD_S)
        with self.step("from zero"):
            answer = traffic.ask("acme", SLEEPER, limit_s=HOLD_S)
            self.bars["from zero"] = Bar(int(bool(answer)), 1, "answer")
            self.cluster.kubectl("delete", "basemodel", SLEEPER)
            self.cluster.wait(lambda: not self._pods_of_sleeper(), "its last engine to go")

    def _has_no_engine(self) -> bool:
        conditions = self.cluster.get("basemodel", SLEEPER).get("status", {}).get("conditions", ())
        return any(each["reason"] == "ScaledToZero" for each in conditions) and not self._pods_of_sleeper()

    def _pods_of_sleeper(self) -> str:
        return self.cluster.kubectl("get", "pods", "-l", f"quiver.dev/base-model={SLEEPER}", "-o", "name")

    # Break ---------------------------------------------------------------------------------------------------

    def under_load(self, traffic: Traffic) -> None:
        for name, action in (
            ("adapter swap", partial(self.swap, traffic)),
            ("prompt swap", self.prompt),
            ("gateway roll", partial(self.changes.roll, "gateway")),
            ("operator kill", self.changes.kill_leader),
            ("scale up", partial(self.changes.scale, 2)),
            ("engine roll", self.changes.roll_engines),
            ("kill engine", partial(self.changes.kill, "engine")),
            ("scale down", partial(self.changes.scale, 1)),
            ("helm upgrade", self.changes.upgrade),
        ):
            with self.step(name):
                told = traffic.during(action)
            self.told(name, told)
        self.bars["early"] = Bar(len(self.changes.early), 0, "adapters", at_most=True)
        self.bars["secret kept"] = Bar(int(self.changes.secret_kept), 1, "kept")
        for part in ("retrieval", "milvus", "ingest", "drift", "management", "console", "gateway"):
            with self.step(f"kill {part}"):
                self.told(f"kill {part}", traffic.during(partial(self.changes.kill, part)))
        with self.step("documents answer again"):
            self.cluster.wait(traffic.documents_answer, "answers from documents")

    def told(self, name: str, told: Told) -> None:
        cut = [failure for failure in told.failures if name == "kill engine" and _ended_in_an_event(failure)]
        self.excused += len(cut)
        if cut:
            self.notes.append(f"{name}: {len(cut)} streams of the killed pod ended in an error event")
        self.bars[name] = Bar(len(told.failures) - len(cut), 0, "failures", at_most=True)
        self.notes.append(
            f"{name}: {told.answers} answers, {len(told.failures)} failures {sorted(set(told.failures))[:3]}"
        )
        print(f"           {told.answers} answers, {len(told.failures)} failures", flush=True)

    # Leave ---------------------------------------------------------------------------------------------------

    def off_board(self, traffic: Traffic) -> None:
        before = traffic.stored()
        with self.step("tenant leaves"):
            self.cluster.kubectl("delete", "tenant", "globex", "--timeout=120s")
            proof = self.cluster.get("configmap", "offboarded-globex").get("data")
        after = traffic.stored()
        agrees = bool(proof) and before - after == {"globex"} and "acme" in after
        self.bars["proof"] = Bar(int(agrees), 1, "agrees")
        self.notes.append(f"proof of deletion: {json.dumps(proof)}")

    def leave(self) -> None:
        with self.step("uninstall"):
            self.cluster.kubectl("delete", "basemodel,tenant", "--all", "--timeout=180s")
            self.cluster.helm("uninstall", "quiver", "--wait", "--timeout", "3m")
            self.cluster.wait(lambda: not self.cluster.kubectl("get", "pods", "-o", "name"), "the last pod to go")
            kinds = ("all,configmaps,secrets,pvc,pdb,hpa,networkpolicy,role,rolebinding,serviceaccount,lease,"
                     "clusterrole,clusterrolebinding")  # fmt: skip
            left = self.cluster.kubectl("get", kinds, "-o", "name").split()
            others = [name for name in left if not _may_stay(name)]
            self.notes += [f"left behind: {name}" for name in others]
            self.bars["left behind"] = Bar(len(others), 0, "objects", at_most=True)


def _may_stay(name: str) -> bool:
    """What the chart says that it keeps, what this run made, and what is the cluster's."""
    kept = ("secret/quiver-internal", "secret/e2e-test", "persistentvolumeclaim/quiver-", "configmap/offboarded-",
            "configmap/kube-root-ca.crt", "serviceaccount/default")  # fmt: skip
    return name.startswith(kept) or (name.startswith("clusterrole") and "quiver" not in name)


def _ended_in_an_event(failure: str) -> bool:
    return failure.startswith(CUT) and "The engine failed" in failure


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e", description=__doc__)
    parser.add_argument("--node", type=Path, default=NODE, help="what brings up a node where KUBECONFIG is not set")
    options = parser.parse_args()
    if sys.version_info[:2] != demo.PYTHON:
        parser.error(
            "the environments are mounted into images of Python 3.11; make clean, make setup PYTHON=python3.11"
        )
    with cluster(options.node) as found:
        run = Run(found)
        run.install()
        with Traffic(found, run.keys).running() as traffic:
            run.serve(traffic)
            run.train()
            run.compare()
            run.scale_to_zero(traffic)
            begun = len(traffic.read())
            run.under_load(traffic)
            run.bars["whole run"] = Bar(traffic.failures(begun) - run.excused, 0, "failures", at_most=True)
            run.off_board(traffic)
        run.leave()
    run.bars["minutes"] = Bar((time.monotonic() - run.begun) / 60, 25, "minutes", at_most=True)
    print("\n".join(run.notes))
    return report("e2e", run.bars, notes=run.notes)


if __name__ == "__main__":
    sys.exit(main())
