"""The settings. No other module here reads the environment."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.drift.budget import Budget, level
from serving.drift.errors import SettingsError
from serving.drift.registry import SIGNALS

PREFIX = "QUIVER_DRIFT_"
MOST_PERMUTATIONS = 100_000  # of one test: about a second of one core


class Settings(BaseSettings):
    """Each field is read from `QUIVER_DRIFT_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on.")] = 8_400
    socket: Annotated[int | None, Field(description="Descriptor to listen on, inherited from the parent.")] = None
    token: Annotated[SecretStr, Field(min_length=16, description="Bearer tokens that /v1 accepts, comma-separated.")]
    metrics_token: Annotated[SecretStr, Field(description="Bearer tokens that /metrics accepts.")] = SecretStr("")
    state: Annotated[Path, Field(description="Directory that keeps each tenant's windows and last verdict.")]
    reference_size: Annotated[int, Field(ge=2, le=1_000, description="Embeddings in a tenant's reference.")] = 200
    window_size: Annotated[int, Field(ge=2, le=1_000, description="Fewest embeddings for a test.")] = 50
    permutations: Annotated[int, Field(ge=1, description="Fewest permutations of a test.")] = 500
    false_alarms: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="Expected false alarms in 30 days, over all tenants.")
    ] = 1.0
    interval: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="Least seconds between two tests of a signal.")
    ] = 21_600.0
    max_tenants: Annotated[int, Field(ge=1, description="Most tenants that are watched.")] = 200

    @property
    def budget(self) -> Budget:
        return Budget(false_alarms=self.false_alarms, interval=self.interval)

    @model_validator(mode="after")
    def window_fits(self) -> Self:
        if self.window_size > self.reference_size:
            raise ValueError(
                f"WINDOW_SIZE is {self.window_size} and REFERENCE_SIZE {self.reference_size}: "
                "a window never outgrows the reference; lower the first or raise the second"
            )
        return self

    @model_validator(mode="after")
    def budget_is_affordable(self) -> Self:
        needed = level(self.budget, series=self.max_tenants * len(SIGNALS), permutations=self.permutations).permutations
        if needed > MOST_PERMUTATIONS:
            raise ValueError(
                f"FALSE_ALARMS, INTERVAL, MAX_TENANTS and PERMUTATIONS need {needed:,} permutations a test, and "
                f"{MOST_PERMUTATIONS:,} is the most; raise one of the first two or lower one of the others"
            )
        return self


def load() -> Settings:
    """Read the environment. Raises SettingsError naming every faulty variable, never its value."""
    try:
        return Settings.model_validate({})
    except ValidationError as invalid:
        faults = "; ".join(
            f"{PREFIX}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in invalid.errors()
        )
        raise SettingsError(f"the settings of serving.drift are not valid: {faults}") from invalid
