"""Engines as pods: a Deployment or an InferenceService for each base model, kept as its spec says."""

from contract import conditions as c
from contract.base_model import BaseModel
from contract.conditions import Condition, condition
from kube.errors import KubeError
from operators.cluster.children import Children, child_key
from operators.cluster.model_caches import ModelCaches
from operators.controllers.backend import RuntimeRefusal
from operators.controllers.stored_object import StoredObject
from operators.desired.engine_workload import Manifest, Platform, engine_workload, selector


class ClusterEngines:
    def __init__(self, children: Children, caches: ModelCaches, platform: Platform) -> None:
        self._children = children
        self._caches = caches
        self._platform = platform
        self._fetching: dict[str, str] = {}

    def refusal(self, base: BaseModel) -> Condition | None:
        platform, claim = self._platform, base.spec.claim
        if base.spec.runtime == "KServe" and not platform.kserve:
            message = (
                "this installation does not use KServe; install the chart with kserve=true, or leave out spec.runtime"
            )
            return condition(c.ACCEPTED, False, c.NO_KSERVE, message)
        if claim and claim != platform.models:
            claims = f"the claim {platform.models}" if platform.models else "no claim"
            message = (
                f"engines read models from {claims}; install the chart with models.existingClaim={claim}, or move the "
                "model"
            )
            return condition(c.ACCEPTED, False, c.CLAIM_NOT_MOUNTED, message)
        if any(each.secret == platform.secret for each in base.spec.pod.env):
            message = f"Secret {platform.secret} is the platform's own; name another one in spec.pod.env"
            return condition(c.ACCEPTED, False, c.SECRET_NOT_YOURS, message)
        return None

    async def run(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        try:
            if await self._fetches(stored):
                return  # engines of an earlier source go on answering
        except KubeError as error:
            raise RuntimeRefusal(str(error)) from error
        desired = engine_workload(stored.item, uid=stored.uid, platform=self._platform)
        autoscaled = desired[0]["kind"] == "Deployment" and stored.item.spec.autoscaling
        try:
            if autoscaled and not self._scales_already(desired):
                await self._children.hand_over_replicas(desired[0])
            await self._children.apply(desired)
            await self._children.prune(desired, owner=stored.uid)
            if stored.item.spec.scales_to_zero:
                await self._scale(desired[0], needed=needed)
        except KubeError as error:
            raise RuntimeRefusal(str(error)) from error

    async def _scale(self, deployment: Manifest, *, needed: bool) -> None:
        """From zero to one replica, or from any number to zero. Between one and many an autoscaler decides, which rests
        while there are none (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/)."""
        replicas = self._children.items[child_key(deployment)]["spec"].get("replicas", 1)
        if bool(replicas) != needed:
            await self._children.set_replicas(deployment, int(needed))

    async def _fetches(self, stored: StoredObject[BaseModel]) -> bool:
        """True while the base model's claim does not have the model yet."""
        words = await self._caches.obstacle(stored.item, stored.uid) if stored.item.spec.cache else ""
        self._fetching[stored.item.name] = words
        return bool(words)

    async def remove(self, name: str) -> None:
        """The API server garbage-collects the base model's objects."""
        self._fetching.pop(name, None)

    def waiting_reason(self, name: str) -> str:
        """A Deployment waits by itself, and its pods report why."""
        return self._fetching.get(name, "")

    def selector(self, name: str) -> str:
        return ",".join(f"{label}={value}" for label, value in selector(name).items())

    def _scales_already(self, desired: tuple[Manifest, ...]) -> bool:
        scalers = (item for item in desired if item["kind"] == "HorizontalPodAutoscaler")
        return all(child_key(item) in self._children.items for item in scalers)
