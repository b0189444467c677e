"""BaseModel: a model run by engines for many tenants."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from contract.definition import NAME_RULE, Column, Definition, Rule
from contract.engine_options import ALLOWED_WORD, VARIABLES, refused_argument, refused_variable
from contract.names import ANY_TENANT
from contract.pod_template import NO_MOVE, NOT_YOURS, ONE_NAME, RESERVED, ObjectName, PodTemplate, Strategy
from contract.quantity import Quantity
from contract.resource import Resource, Status
from contract.value import Name, Uri, Value

# vLLM's ranks with kernels (vllm/config/lora.py).
Rank = Literal[1, 8, 16, 32, 64, 128, 256, 320, 512]


EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,127}$")]
OUR_FIELDS = "source, lora, maxModelLength, dtype, toolParser, reasoningParser and chatTemplate"
ONLY_OF_HUB = "only a model of the hub, hf://ORG/NAME@REVISION, is fetched; leave cache out"
KSERVE_KEEPS_ONE = "KServe keeps at least one replica; use minReplicas 1, or the runtime Deployment"
Parser = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
TemplateVariable = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
# Without @, which names a version.
ServedName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$", max_length=128)]
Argument = Annotated[str, StringConstraints(max_length=512)]
Variable = Annotated[str, StringConstraints(max_length=4096)]
ResourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9./]{0,252}$")]


class Autoscaling(Value):
    """The number of replicas follows the load. A replica first finishes its requests before it is removed."""

    min_replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """The fewest replicas. With 0, none runs while nobody asks, and the first request starts one."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """The most replicas, at least as many as minReplicas."""
    queue_depth: Annotated[int, Field(ge=1, le=100_000)] = 8
    """Average waiting requests per engine before a replica is added."""
    tokens_in_flight: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Average tokens of prompts and answers in progress per replica before another replica is added."""
    idle_seconds: Annotated[int, Field(ge=1, le=604_800)] = 900
    """With minReplicas 0: the time without a request after which the last replica stops."""
    hold_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """With minReplicas 0: the longest wait of a request for a replica that starts; then it is answered with 503 and
    Retry-After."""

    @model_validator(mode="after")
    def _range(self) -> "Autoscaling":
        if self.max_replicas < self.min_replicas:
            raise ValueError(f"maxReplicas ({self.max_replicas}) must be at least minReplicas ({self.min_replicas})")
        return self


class Resources(Value):
    """Requests and limits of each engine, in Kubernetes' quantities."""

    requests: Annotated[Mapping[ResourceName, Quantity], Field(max_length=16)] = {}
    """Free resources required on a node."""
    limits: Annotated[Mapping[ResourceName, Quantity], Field(max_length=16)] = {}
    """Upper limits; GPUs are requested here, as nvidia.com/gpu."""


class ModelCache(Value):
    """A claim that keeps the model beside the engines' pods, filled once by a job."""

    size: Quantity
    """Room for the model, twice for a change of its revision."""
    class_name: ObjectName | None = None
    """The StorageClass; by default the cluster's."""
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce"] = "ReadWriteMany"
    """ReadWriteOnce is enough where all engines run on one node."""


class Lora(Value):
    """Room for adapters in each engine."""

    max_rank: Rank = 16
    """The highest rank of an adapter. Memory for this rank is reserved even if no adapter uses it."""
    slots: Annotated[int, Field(ge=1, le=256)] = 4
    """The most adapters in one batch."""
    cpu_slots: Annotated[int, Field(ge=1, le=4096)] = 16
    """The most adapter versions in the engine's host memory, at least as many as slots."""
    on_demand: Annotated[int, Field(ge=0, le=10_000)] = 1000
    """The most adapter versions beyond cpuSlots. They are on the engine's disk, and loaded when a request asks for
    them."""

    @property
    def versions(self) -> int:
        """The most adapter versions of an engine."""
        return self.cpu_slots + self.on_demand

    @model_validator(mode="after")
    def _cpu_slots_hold_the_batch(self) -> "Lora":
        if self.cpu_slots < self.slots:
            raise ValueError(f"cpuSlots ({self.cpu_slots}) must be at least slots ({self.slots})")
        return self


class BaseModelSpec(Value):
    """A change of any field except `alsoKnownAs`, `servedNames`, `tenants`, `lora.onDemand`, `replicas`, `autoscaling`
    and `strategy` restarts the engines, as `strategy` says."""

    source: Uri
    """A Hugging Face name (hf://ORG/NAME@REVISION for one revision), pvc://CLAIM/DIRECTORY on the platform's claim for
    models, or a directory readable by every engine."""
    also_known_as: Annotated[tuple[Uri, ...], Field(max_length=32)] = ()
    """Other names of the same model in adapters' configurations: a mirror, a quantised twin. An adapter with another
    name is served if its shapes fit, with a note in its status."""
    served_names: Annotated[tuple[ServedName, ...], Field(max_length=16)] = ()
    """Further names by which requests may ask for it, such as meta-llama/Llama-3.1-8B-Instruct. A tenant's adapter of
    the same name comes first."""
    tenants: Annotated[tuple[Name | Literal["*"], ...], Field(max_length=1000)] = ()
    """The tenants allowed to use it, or * for all."""
    lora: Lora = Lora()
    """Room for adapters in each engine."""
    max_model_length: Annotated[int, Field(ge=64, le=2_000_000)] = 4096
    """The longest prompt and answer together, in tokens."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The type of the weights in the engine; auto takes the model's own."""
    tool_parser: Parser | None = None
    """vLLM's parser for tool calls in the model's output: hermes, mistral and others. Without it, tools are called only
    if the request forces a call."""
    reasoning_parser: Parser | None = None
    """vLLM's parser that separates reasoning from the answer: qwen3, deepseek_r1 and others."""
    chat_template: Uri | None = None
    """A template file readable by every engine, in place of the model's own."""
    chat_template_kwargs: Annotated[tuple[TemplateVariable, ...], Field(max_length=16)] = ()
    """Variables of the template that requests may set, such as enable_thinking."""
    media: Annotated[tuple[Literal["image", "audio"], ...], Field(max_length=2)] = ()
    """Media that the model accepts beside text. Requests carry them as data URLs; nothing is downloaded."""
    engine_args: Annotated[tuple[Argument, ...], Field(max_length=64)] = ()
    """Further arguments for vLLM's server, one entry for each word: only for speed and capacity."""
    engine_env: Annotated[Mapping[EnvironmentName, Variable], Field(max_length=64)] = {}
    """Further environment variables for vLLM's server and its compute libraries."""
    image: Annotated[str, StringConstraints(max_length=512)] | None = None
    """The engine's image on a cluster; by default the platform's engine image."""
    resources: Resources = Resources()
    """Resources of each engine on a cluster."""
    cache: ModelCache | None = None
    """Keeps a model of the hub on a claim, on a cluster: without one, every new pod fetches it again."""
    pod: PodTemplate = PodTemplate()
    """What the engines' pods have beside what Quiver sets, on a cluster."""
    strategy: Strategy = Strategy()
    """How engines are replaced on a cluster."""
    runtime: Literal["Deployment", "KServe"] = "Deployment"
    """The runtime of the engines on a cluster: a Deployment, or KServe by an InferenceService. It cannot be changed."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Engines on a cluster. Not used where autoscaling is set; `quiver up` runs one."""
    autoscaling: Autoscaling | None = None
    """Replicas by load, on a cluster."""

    @model_validator(mode="after")
    def _cache_has_a_hub(self) -> "BaseModelSpec":
        if self.cache and not self.source.startswith("hf://"):
            raise ValueError(f"cache: {ONLY_OF_HUB}")
        return self

    @model_validator(mode="after")
    def _kserve_keeps_one(self) -> "BaseModelSpec":
        if self.runtime == "KServe" and self.scales_to_zero:
            raise ValueError(KSERVE_KEEPS_ONE)
        return self

    @field_validator("source")
    @classmethod
    def _engines_find_it(cls, source: str) -> str:
        scheme, separator, rest = source.partition("://")
        if separator and (scheme not in ("hf", "pvc", "file") or not rest):
            raise ValueError("a model's source is hf://ORG/NAME@REVISION, pvc://CLAIM/DIRECTORY, or a directory")
        return source

    @field_validator("engine_args")
    @classmethod
    def _allowed_arguments(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        if refused := refused_argument(arguments):
            raise ValueError(
                f"{refused} may not be set here (docs/objects.md lists the allowed arguments); the platform sets some "
                f"arguments itself, from {OUR_FIELDS}"
            )
        return arguments

    @field_validator("engine_env")
    @classmethod
    def _allowed_variables(cls, variables: Mapping[str, str]) -> Mapping[str, str]:
        if refused := refused_variable(variables):
            raise ValueError(
                f"{refused} is none of the variables that may be set here (see docs/objects.md); a platform sets "
                "others for all of its engines, by the chart's engine.env"
            )
        return variables

    @property
    def scales_to_zero(self) -> bool:
        """True if the last engine stops without requests."""
        return self.autoscaling is not None and self.autoscaling.min_replicas == 0

    @property
    def gpus(self) -> int | None:
        """GPUs of each engine, of any vendor, or parts of them; None for engines without."""
        counts = [int(count) for name, count in self.resources.limits.items() if _is_gpu(name) and count.isdecimal()]
        return sum(counts) if counts else None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of this model in adapters' configurations, beside the object's own name."""
        return (self.source, *self.also_known_as)

    @property
    def claim(self) -> str | None:
        """The name of the claim that holds the model, if there is one."""
        rest = self.source.removeprefix("pvc://")
        return None if rest == self.source else rest.partition("/")[0]

    def allows(self, tenant: str) -> bool:
        return tenant in self.tenants or ANY_TENANT in self.tenants


def _is_gpu(resource: str) -> bool:
    """Not its memory or cores, which some device plugins count as well."""
    _, _, kind = resource.partition("/")
    return kind in ("gpu", "gpu.shared", "i915", "xe") or kind.startswith("mig-")


class Endpoint(Value):
    """One replica. Where adapters answer is in AdapterSlices."""

    model_config = ConfigDict(extra="ignore")  # earlier releases listed adapters here

    name: str
    """The pod's name."""
    url: str
    """The address of its engine."""
    ready: bool = False
    """True if it may take traffic: its engine and every required adapter have answered a probe."""


class BaseModelStatus(Status):
    """The observed state of the engines."""

    endpoints: tuple[Endpoint, ...] = ()
    """Each replica."""
    replicas: int = 0
    """Existing engines."""
    selector: str = ""
    """The label selector of the engines' pods, for autoscalers."""


class BaseModel(Resource):
    definition: ClassVar[Definition] = Definition(
        "basemodels", "qbm",
        (Column("Replicas", ".status.replicas", "integer"), Column("Source", ".spec.source")),
        namespaced=False, scaled=True,
        rules=(
            NAME_RULE,
            Rule("spec.lora", "self.cpuSlots >= self.slots",
                 "cpuSlots must be at least slots; raise lora.cpuSlots"),
            Rule("spec.autoscaling", "self.maxReplicas >= self.minReplicas",
                 "maxReplicas must be at least minReplicas; raise autoscaling.maxReplicas"),
            Rule("spec", "!has(self.cache) || self.source.startsWith('hf://')", ONLY_OF_HUB),
            Rule("spec", "self.runtime != 'KServe' || !has(self.autoscaling) || self.autoscaling.minReplicas > 0",
                 KSERVE_KEEPS_ONE),
            Rule("spec.strategy", "self.maxSurge > 0 || self.maxUnavailable > 0", NO_MOVE),
            *(Rule(f"spec.pod.{field}", f"self.all(k, !k.matches('{RESERVED}'))", NOT_YOURS)
              for field in ("labels", "annotations")),
            *(Rule(f"spec.pod.{field}", "self.all(v, self.filter(w, w.name == v.name).size() == 1)", ONE_NAME)
              for field in ("env", "volumes")),
            Rule("spec.runtime", "self == oldSelf",
                 "a base model keeps its runtime; make another BaseModel, and move the adapters to it"),
            Rule("", "self.metadata.name.size() <= (self.spec.runtime == 'KServe' ? 41 : 56)",
                 "metadata.name: at most 56 characters, 41 with KServe, since pods and services are named after it"),
            Rule("", "!self.metadata.name.endsWith('-predictor')",
                 "metadata.name: KServe gives its own objects such names; choose a name that does not end with "
                 "-predictor"),
            Rule("spec.source", "!self.contains('://') || self.matches('^(hf|pvc|file)://')",
                 "name where the model lies: a name on the hub, hf://ORG/NAME@REVISION, pvc://CLAIM/DIRECTORY or a "
                 "directory"),
            Rule("spec.source", "!self.matches('(^|/)[.][.](/|$)')", "a source has no '..' in it"),
            Rule("spec.engineArgs", f"self.all(a, a.matches('{ALLOWED_WORD}'))",
                 "engineArgs may set what docs/objects.md lists; what the platform sets comes from other fields"),
            Rule("spec.engineEnv",
                 f"self.all(k, k in {list(VARIABLES)})",
                 "engineEnv may set what docs/objects.md lists; a platform sets others with the chart's engine.env"),
        ),
    )  # fmt: skip
    kind: Literal["BaseModel"] = "BaseModel"
    spec: BaseModelSpec
    status: BaseModelStatus = BaseModelStatus()
