"""BaseModel: a model that an engine runs for many tenants."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from operators.api.names import ANY_TENANT
from operators.api.resource import Resource, Status
from operators.api.value import Name, Uri, Value

# The ranks that vLLM has kernels for (vllm/config/lora.py).
Rank = Literal[1, 8, 16, 32, 64, 128, 256, 320, 512]


EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,127}$")]


class Lora(Value):
    """Room for adapters. `slots` are in one batch; `cpuSlots` are kept in host memory."""

    max_rank: Rank = 16
    slots: Annotated[int, Field(ge=1, le=256)] = 4
    cpu_slots: Annotated[int, Field(ge=1, le=4096)] = 16

    @model_validator(mode="after")
    def _cpu_slots_hold_the_batch(self) -> "Lora":
        if self.cpu_slots < self.slots:
            raise ValueError(f"cpuSlots ({self.cpu_slots}) must be at least slots ({self.slots})")
        return self


class BaseModelSpec(Value):
    """`source` is a Hugging Face name or a directory; `tenants` lists who may use it, "*" for all."""

    source: Uri
    tenants: Annotated[tuple[Name | Literal["*"], ...], Field(max_length=1000)] = ()
    lora: Lora = Lora()
    max_model_length: Annotated[int, Field(ge=64, le=2_000_000)] = 4096
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    engine_args: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    engine_env: Annotated[Mapping[EnvironmentName, str], Field(max_length=64)] = {}

    def allows(self, tenant: str) -> bool:
        return tenant in self.tenants or ANY_TENANT in self.tenants


class Endpoint(Value):
    """One replica: its address, and which engine names have answered a probe on it."""

    name: str
    url: str
    ready: bool = False
    holds: tuple[str, ...] = ()


class BaseModelStatus(Status):
    endpoints: tuple[Endpoint, ...] = ()


class BaseModel(Resource):
    kind: Literal["BaseModel"] = "BaseModel"
    spec: BaseModelSpec
    status: BaseModelStatus = BaseModelStatus()
