"""Settings of the console. No other module here reads the environment."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`management_token` is the console's for the management API, which trusts the people's addresses from it.
    `gateway_url` is shown in copied requests. `proxies` is the number of proxies in front, each of which adds
    the address of its caller to X-Forwarded-For. `grafana_url` is linked to on the platform's page. People sign in by
    the OpenID Connect provider `oidc_issuer`, too, if there is one: it has the client `oidc_client_id` with the address
    PUBLIC_URL/sign-in/return.
    """

    model_config = SettingsConfigDict(env_prefix="QUIVER_CONSOLE_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8090
    socket: int | None = None
    management_url: str
    management_token: SecretStr
    gateway_url: str = "http://127.0.0.1:8080"
    proxies: int = 0
    grafana_url: str = ""
    public_url: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scopes: str = "openid email profile"
    metrics_token: SecretStr = SecretStr("")
