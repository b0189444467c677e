"""The settings. No other module here reads the environment."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.drift.errors import SettingsError
from serving.drift.series import Spans

PREFIX = "QUIVER_DRIFT_"
WINDOWS = 4


class Settings(BaseSettings):
    """Each field is read from `QUIVER_DRIFT_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="Port to listen on.")] = 8_400
    socket: Annotated[int | None, Field(description="Descriptor to listen on, inherited from the parent.")] = None
    token: Annotated[SecretStr, Field(min_length=16, description="Bearer tokens that /v1 accepts, comma-separated.")]
    metrics_token: Annotated[SecretStr, Field(description="Bearer tokens that /metrics accepts.")] = SecretStr("")
    state: Annotated[Path, Field(description="Directory that keeps each tenant's windows and last verdict.")]
    reference_days: Annotated[int, Field(ge=7, le=366, description="Days of a tenant's reference.")] = 28
    provisional_days: Annotated[
        int, Field(ge=3, le=366, description="Days after which a provisional reference is judged against.")
    ] = 7
    reference_units: Annotated[int, Field(ge=500, description="Fewest first questions in a reference.")] = 500
    window_units: Annotated[int, Field(ge=100, description="First questions for a test.")] = 500
    false_alarms: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="Expected false alarms in 30 days, over all tenants.")
    ] = 2.0
    max_tenants: Annotated[int, Field(ge=1, description="Most tenants that are watched.")] = 200

    def spans(self, windows: int) -> Spans:
        """Of a signal that is tested once for so many windows. A reference with fewer than WINDOWS of its own windows
        could not be judged against."""
        window = windows * self.window_units
        return Spans(self.reference_days, self.provisional_days, max(self.reference_units, WINDOWS * window), window)

    @model_validator(mode="after")
    def provisional_comes_first(self) -> Self:
        if self.provisional_days > self.reference_days:
            raise ValueError(
                f"PROVISIONAL_DAYS is {self.provisional_days} and REFERENCE_DAYS {self.reference_days}: a provisional "
                "reference is the beginning of a whole one; lower the first or raise the second"
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
