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
        if await self._fetches(stored):  # engines of an earlier source go on answering
            await self.scale(stored, needed=needed)
            return
        desired = engine_workload(stored.item, uid=stored.uid, platform=self._platform)
        autoscaled = desired[0]["kind"] == "Deployment" and stored.item.spec.autoscaling
        try:
            if autoscaled and not self._scales_already(desired):
                await self._children.hand_over_replicas(desired[0])
            await self._children.apply(desired)
            await self._children.prune(desired, owner=stored.uid)
            await self._scale(stored.item, desired[0], needed=needed)
        except KubeError as error:
            raise RuntimeRefusal(str(error)) from error

    async def scale(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        spec = stored.item.spec
        if spec.autoscaling is None or spec.runtime != "Deployment":
            return
        deployment = engine_workload(stored.item, uid=stored.uid, platform=self._platform)[0]
        try:
            await self._scale(stored.item, deployment, needed=needed)
        except KubeError as error:
            raise RuntimeRefusal(str(error)) from error

    async def _scale(self, base: BaseModel, deployment: Manifest, *, needed: bool) -> None:
        """From zero to the fewest replicas, or from any number to zero. In between an autoscaler decides, which rests
        while there are none (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/)."""
        scaling, existing = base.spec.autoscaling, self._children.items.get(child_key(deployment))
        if scaling is None or existing is None or deployment["kind"] != "Deployment":
            return
        if bool(existing["spec"].get("replicas", 1)) != needed:
            await self._children.set_replicas(deployment, max(1, scaling.min_replicas) if needed else 0)

    async def _fetches(self, stored: StoredObject[BaseModel]) -> bool:
        """True while the base model's claim does not have the model yet."""
        try:
            reason = await self._caches.obstacle(stored.item, stored.uid) if stored.item.spec.cache else ""
        except KubeError as error:
            raise RuntimeRefusal(str(error)) from error
        self._fetching[stored.item.name] = reason
        return bool(reason)

    async def remove(self, name: str) -> None:
        """The API server garbage-collects the base model's objects."""
        self._fetching.pop(name, None)
        self._caches.forget(name)

    def waiting_reason(self, name: str) -> str:
        """A Deployment waits by itself, and its pods report why."""
        return self._fetching.get(name, "")

    def selector(self, name: str) -> str:
        return ",".join(f"{label}={value}" for label, value in selector(name).items())

    def _scales_already(self, desired: tuple[Manifest, ...]) -> bool:
        scalers = (item for item in desired if item["kind"] == "HorizontalPodAutoscaler")
        return all(child_key(item) in self._children.items for item in scalers)
