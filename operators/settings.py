"""Settings of the command line and of the operator. No other module of this package reads the environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

# Default paths of `make setup`, beside the running environment.
_HOME = Path(sys.prefix).parent

# Variables inherited by every child process.
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "HF_HOME", "CUDA_VISIBLE_DEVICES",
              "LD_LIBRARY_PATH", "VLLM_CACHE_ROOT", "QUIVER_LOG_LEVEL", "QUIVER_LOG_FORMAT",
              "QUIVER_INGEST_OCR_LANGUAGES")  # fmt: skip

# Further variables for downloading processes: credentials and proxies.
_FOR_FETCHING = ("HF_TOKEN", "HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy",
                 "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # fmt: skip


class Settings(BaseSettings):
    """`engine_python` is a Python with vLLM; `embedder` a directory with model.onnx and tokenizer.json, or the address
    of a server with /v1/embeddings, whose model, token and prefixes the other settings name."""

    model_config = SettingsConfigDict(env_prefix="QUIVER_", frozen=True)

    engine_python: Path = _HOME / ".venv-engine" / "bin" / "python"
    embedder: str = str(_HOME / "build" / "models" / "minilm")
    embedder_model: str = ""
    embedder_token: SecretStr = SecretStr("")
    embedder_max_tokens: int = Field(default=512, ge=16, le=8_192)
    embedder_seconds: float = Field(default=1.0, gt=0)
    embedder_query_prefix: str = ""
    embedder_passage_prefix: str = ""

    @property
    def has_embedder_by_address(self) -> bool:
        return self.embedder.lower().startswith(("http://", "https://"))

    @property
    def embedder_variables(self) -> Mapping[str, str]:
        """The settings of search and ingest, without their prefix."""
        if self.has_embedder_by_address:
            names = ("model", "seconds", "max_tokens", "query_prefix", "passage_prefix")
            server = {f"EMBEDDER_{name.upper()}": str(getattr(self, f"embedder_{name}")) for name in names}
            return {"EMBEDDER": self.embedder, "EMBEDDER_TOKEN": self.embedder_token.get_secret_value(), **server}
        return {"EMBEDDER": str(Path(self.embedder).resolve())}


def inherited_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def fetching_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _FOR_FETCHING if name in os.environ}


def kubeconfig() -> Path:
    """The file that names kubectl's current cluster: the first of KUBECONFIG, or the default."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(named) if named else Path.home() / ".kube/config"


class OperatorSettings(BaseSettings):
    """Settings of a cluster's operator.

    Without a `kubeconfig` it runs as a pod of its cluster. `identity` is unique among operators. `models` is a claim
    with base models and adapters for engines; `documents` is the ingest worker's path to the tenants' documents;
    `management_account` is the management API's service account; `kserve` allows base models with KServe; on
    `openshift` pods name no user. Services without a URL are not asked. Of several tokens, separated by commas, the
    first is sent. `engine_environment` are variables of every engine, `agent_settings` those of every agent (names
    without QUIVER_AGENT_); `ca_config_map` holds certificate authorities (ca.crt) for both. A new `secret_revision`
    restarts the engines one after the other, so they take new keys. `trainings` is a claim for trainings and their
    adapters, `documents_claim` the one with the tenants' documents, `training_priority` a PriorityClass. Evaluations
    ask the gateway at `gateway_url`; what they ask with is signed by `delegation_secret`. `tenant_quotas` bounds the
    objects in each tenant's namespace.
    """

    model_config = SettingsConfigDict(env_prefix="QUIVER_OPERATOR_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 9500
    kubeconfig: Path | None = None
    namespace: str
    identity: str
    agent_token: SecretStr
    gateway_token: SecretStr
    ingest_token: SecretStr = SecretStr("")
    drift_token: SecretStr = SecretStr("")
    engine_image: str
    agent_image: str
    engine_python: str = "python3"
    engine_port: int = 8000
    agent_port: int = 9400
    gateway_port: int = 8081
    secret: str = "quiver-internal"
    models: str | None = None
    kserve: bool = False
    openshift: bool = False
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()
    hub_secret: str | None = None
    engine_environment: dict[str, str] = {}
    agent_settings: dict[str, str] = {}
    ca_config_map: str | None = None
    service_account: str | None = None
    secret_revision: str = ""
    ingest_url: str | None = None
    drift_url: str | None = None
    documents: str | None = None
    management_account: str | None = None
    trainings: str | None = None
    trainer_image: str = ""
    trainer_python: str = "python3"
    training_priority: str | None = None
    documents_claim: str | None = None
    gateway_url: str = ""
    delegation_secret: SecretStr = SecretStr("")
    tenant_quotas: bool = False


class AskingSettings(BaseSettings):
    """Settings of an Evaluation's job. `api_key` is a key, or a token that stands for one."""

    model_config = SettingsConfigDict(env_prefix="QUIVER_", frozen=True)

    api_key: SecretStr


class ManagementSettings(BaseSettings):
    """Settings of the management API.

    `directory` is one that `quiver up` runs; without it, objects are those of a cluster: the one of `kubeconfig`, or
    the pod's own. `secret` signs requests to the gateway, which has it, too. `platform_key` opens the view of all
    tenants. `console_token` is the console's: the addresses that it names are believed. `database` holds sessions and
    records, as a URL of SQLAlchemy's.
    """

    model_config = SettingsConfigDict(env_prefix="QUIVER_MANAGEMENT_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 9600
    socket: int | None = None
    directory: Path | None = None
    kubeconfig: Path | None = None
    database: str
    gateway_url: str | None = None
    secret: SecretStr
    platform_key: SecretStr = SecretStr("")
    console_token: SecretStr = SecretStr("")
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_tenant_claim: str = "quiver-tenant"
    oidc_groups_claim: str = ""
    oidc_role_claim: str = "quiver-role"
    metrics_token: SecretStr = SecretStr("")
