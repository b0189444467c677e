"""BaseModel: a model run by engines for many tenants."""

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, field_validator, model_validator

from contract.engine_options import refused_argument, refused_variable
from contract.names import ANY_TENANT
from contract.resource import Resource, Status
from contract.value import Name, Uri, Value

# The ranks with kernels in vLLM (vllm/config/lora.py).
Rank = Literal[1, 8, 16, 32, 64, 128, 256, 320, 512]


EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,127}$")]
OUR_FIELDS = "source, lora, maxModelLength, dtype, toolParser, reasoningParser and chatTemplate"
Parser = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
TemplateVariable = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
Argument = Annotated[str, StringConstraints(max_length=512)]
Variable = Annotated[str, StringConstraints(max_length=4096)]
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, without negative ones.
QUANTITY_PATTERN = r"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(n|u|m|k|[KMGTPE]i|[MGTPE]|[eE][+-]?[0-9]{1,3})?$"


def _as_text(value: Any) -> Any:
    """YAML reads `4` and `0.5` as numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return value
    return str(int(value)) if value == int(value) else repr(value)


Quantity = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(pattern=QUANTITY_PATTERN, max_length=32),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY_PATTERN, "maxLength": 32}),
]
ResourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9./]{0,252}$")]


class Autoscaling(Value):
    """Replicas by load instead of by number. A removed replica first finishes its requests."""

    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """The fewest replicas."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """The most replicas, at least as many as minReplicas."""
    queue_depth: Annotated[int, Field(ge=1, le=100_000)] = 8
    """Average waiting requests per engine before a replica is added."""
    tokens_in_flight: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Tokens of prompts and answers under way for each replica, on average, before another one is added."""

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


class Lora(Value):
    """Room for adapters in each engine."""

    max_rank: Rank = 16
    """The highest rank of an adapter. Memory is taken for it whether adapters use it or not."""
    slots: Annotated[int, Field(ge=1, le=256)] = 4
    """Adapters in one batch."""
    cpu_slots: Annotated[int, Field(ge=1, le=4096)] = 16
    """Adapter versions in the engine's host memory, at least as many as slots."""

    @model_validator(mode="after")
    def _cpu_slots_hold_the_batch(self) -> "Lora":
        if self.cpu_slots < self.slots:
            raise ValueError(f"cpuSlots ({self.cpu_slots}) must be at least slots ({self.slots})")
        return self


class BaseModelSpec(Value):
    """A change of anything but `alsoKnownAs`, `tenants`, `replicas` and `autoscaling` starts the engines anew, one
    after the other."""

    source: Uri
    """A Hugging Face name (hf://ORG/NAME@REVISION for one revision), pvc://CLAIM/DIRECTORY on the platform's claim for
    models, or a directory readable by every engine."""
    also_known_as: Annotated[tuple[Uri, ...], Field(max_length=32)] = ()
    """Other names of the same model in adapters' configurations: a mirror, a quantised twin. An adapter with another
    name is served if its shapes fit, with a note."""
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
    in requests forcing a call."""
    reasoning_parser: Parser | None = None
    """How vLLM tells reasoning from the answer: by qwen3, deepseek_r1 or another of its parsers."""
    chat_template: Uri | None = None
    """A template file readable by every engine, in place of the model's own."""
    chat_template_kwargs: Annotated[tuple[TemplateVariable, ...], Field(max_length=16)] = ()
    """Variables of the template settable by requests, such as enable_thinking."""
    media: Annotated[tuple[Literal["image", "audio"], ...], Field(max_length=2)] = ()
    """Media accepted by the model beside text. Requests carry them as data URLs; nothing is downloaded."""
    engine_args: Annotated[tuple[Argument, ...], Field(max_length=64)] = ()
    """More arguments for vLLM's server, one entry for each word: speed and capacity only."""
    engine_env: Annotated[Mapping[EnvironmentName, Variable], Field(max_length=64)] = {}
    """More environment variables for vLLM's server and its compute libraries."""
    image: Annotated[str, StringConstraints(max_length=512)] | None = None
    """The engine's image on a cluster; by default the platform's engine image."""
    resources: Resources = Resources()
    """Resources of each engine on a cluster."""
    runtime: Literal["Deployment", "KServe"] = "Deployment"
    """The runtime of the engines on a cluster: a Deployment, or KServe by an InferenceService. It cannot be changed."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Engines on a cluster. Not used where autoscaling is set; `quiver up` runs one."""
    autoscaling: Autoscaling | None = None
    """Replicas by load, on a cluster."""

    @field_validator("source")
    @classmethod
    def _engines_find_it(cls, source: str) -> str:
        scheme, separator, rest = source.partition("://")
        if separator and (scheme not in ("hf", "pvc", "file") or not rest):
            raise ValueError("a model lies on the hub (hf://ORG/NAME@REVISION), in a claim (pvc://) or in a directory")
        return source

    @field_validator("engine_args")
    @classmethod
    def _allowed_arguments(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        if refused := refused_argument(arguments):
            raise ValueError(
                f"{refused} is none of the arguments that may be set here (docs/objects.md lists them); what the "
                f"platform sets comes from {OUR_FIELDS}"
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
    def names(self) -> tuple[str, ...]:
        """Names for it in adapters' configurations, beside the object's own."""
        return (self.source, *self.also_known_as)

    @property
    def claim(self) -> str | None:
        """The model's claim, if it is on one."""
        rest = self.source.removeprefix("pvc://")
        return None if rest == self.source else rest.partition("/")[0]

    def allows(self, tenant: str) -> bool:
        return tenant in self.tenants or ANY_TENANT in self.tenants


class Endpoint(Value):
    """One replica."""

    name: str
    """The pod's name."""
    url: str
    """The address of its engine."""
    ready: bool = False
    """Whether it may take traffic: its engine and every required adapter have answered a probe."""
    holds: tuple[str, ...] = ()
    """The adapter versions with an answered probe on it, by engine name."""


class BaseModelStatus(Status):
    """The observed state of the engines."""

    endpoints: tuple[Endpoint, ...] = ()
    """Each replica, and its adapters."""
    replicas: int = 0
    """Existing engines."""
    selector: str = ""
    """The label selector of the engines' pods, for autoscalers."""


class BaseModel(Resource):
    kind: Literal["BaseModel"] = "BaseModel"
    spec: BaseModelSpec
    status: BaseModelStatus = BaseModelStatus()
