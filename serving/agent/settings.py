"""Settings of the agent. No other module here reads the environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.agent.sources.identity import WorkloadIdentity
from serving.agent.sources.policy import Policy


class FetchSettings(BaseSettings):
    """Limits of fetches, explained in `serving.agent.sources.policy`."""

    model_config = SettingsConfigDict(env_prefix="QUIVER_AGENT_", frozen=True)

    max_bytes: int = 2 * 1024**3
    fetch_timeout_s: float = 3600.0
    fetch_stall_s: float = 60.0
    file_roots: tuple[Path, ...] = ()
    volumes: Path | None = None
    allow_private_sources: bool = False
    private_hosts: tuple[str, ...] = ()
    proxy: str | None = None
    identity_buckets: tuple[str, ...] = ()
    aws_role_arn: str = Field(default="", validation_alias="AWS_ROLE_ARN")
    aws_token_file: Path | None = Field(default=None, validation_alias="AWS_WEB_IDENTITY_TOKEN_FILE")
    aws_region: str = Field(default="us-east-1", validation_alias="AWS_REGION")
    hf_endpoint: str = "https://huggingface.co"
    ca_file: Path | None = None

    @property
    def policy(self) -> Policy:
        return Policy(
            max_bytes=self.max_bytes,
            timeout_s=self.fetch_timeout_s,
            stall_s=self.fetch_stall_s,
            file_roots=self.file_roots,
            volumes=self.volumes,
            allow_private=self.allow_private_sources,
            private_hosts=frozenset(host.lower() for host in self.private_hosts),
            proxy=self.proxy,
            workload=WorkloadIdentity(
                frozenset(self.identity_buckets), self.aws_role_arn, self.aws_token_file, self.aws_region
            ),
            hf_endpoint=self.hf_endpoint,
            ca_file=self.ca_file,
        )


class InputSettings(FetchSettings):
    """Settings of `serving.agent.fetch`. `credentials` are for the sources of a training's inputs, as JSON by input.
    Uploaded files are fetched from the gateway, with a token of the tenant."""

    credentials: SecretStr = SecretStr("{}")
    gateway_url: str = ""
    gateway_token: SecretStr = SecretStr("")


class Settings(FetchSettings):
    """`token` may list several tokens with commas, all accepted; a `metrics_token` guards /metrics. `socket` is a
    descriptor to listen on, inherited from the parent. `base_source` is the engine's source of the base model.

    `hub_cache` is the engine's download folder for the Hugging Face hub (HF_HOME/hub). `store_grace_s` is the time an
    unneeded version stays on disk.
    """

    host: str = "127.0.0.1"
    port: int = 9400
    socket: int | None = None
    token: SecretStr
    metrics_token: SecretStr = SecretStr("")
    store: Path
    engine_url: str
    engine_api_key: SecretStr
    base_model: str
    base_source: str
    hub_cache: Path | None = None
    max_rank: int = 16
    store_grace_s: float = 600.0
