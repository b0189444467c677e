"""Settings of the gateway. No other module here reads the environment."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`snapshot` is the file with the objects. Without it, objects are read from a cluster: the one of `kubeconfig`, or
    the pod's own. Services without a URL are not used.

    Metrics and state name every tenant, so they are on `internal_port` only; a `metrics_token` guards the metrics
    there. A token setting may hold several tokens, separated by commas: all are accepted, the first is sent. `socket`
    and `internal_socket` are descriptors of listening sockets that the parent passes on, already bound to the ports.
    `management_secret` is what the management API signs people's requests with. A stopping gateway keeps idle
    connections for `idle_drain_s`, longer than callers do. At most `max_held_requests` wait for engines to start. Web
    pages of `cors_origins` (`*` for any) may call the API. The process's limit of descriptors also limits connections;
    behind a proxy all callers have one address.
    """

    model_config = SettingsConfigDict(env_prefix="QUIVER_GATEWAY_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8080
    internal_port: int = 8081
    socket: int | None = None
    internal_socket: int | None = None
    snapshot: Path | None = None
    kubeconfig: Path | None = None
    internal_token: SecretStr
    metrics_token: SecretStr = SecretStr("")
    engine_api_key: SecretStr
    engine_api_key_old: SecretStr = SecretStr("")
    retrieval_url: str | None = None
    retrieval_token: SecretStr = SecretStr("")
    documents_url: str | None = None
    documents_token: SecretStr = SecretStr("")
    management_secret: SecretStr = SecretStr("")
    drift_url: str | None = None
    drift_token: SecretStr = SecretStr("")
    max_body_bytes: int = 1024 * 1024
    max_connections: int = 8192
    max_connections_per_address: int = 4096
    header_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    write_timeout_s: float = 60.0
    idle_drain_s: float = 0.0
    cors_origins: tuple[str, ...] = ()
    max_held_requests: int = 1000
    request_timeout_s: float = 600.0
    first_token_timeout_s: float = 120.0
    retrieval_timeout_s: float = 10.0
