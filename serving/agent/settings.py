"""All that the agent is told from outside. The only place that reads the environment."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`base_source` is what adapters may name as their base, beside the base model's own name."""

    model_config = SettingsConfigDict(env_prefix="QUIVER_AGENT_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 9400
    token: SecretStr
    store: Path
    engine_url: str
    engine_api_key: SecretStr
    base_model: str
    base_source: str
    max_rank: int = 16
    max_bytes: int = 2 * 1024**3
