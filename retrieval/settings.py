"""Settings of the query path, and those it shares with the ingest worker. Only settings read the environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from retrieval.embedding.embedder import Embedder, opened
from retrieval.embedding.recipe import Recipe
from retrieval.embedding.remote import Server
from retrieval.store.names import Tenancy


class ServiceSettings(BaseSettings):
    """The settings of both processes: address, tokens, store and model."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65_535)
    socket: int | None = Field(default=None, description="File descriptor to listen on, inherited from the parent")
    token: SecretStr = Field(min_length=16, description="Bearer tokens of callers, separated by commas")
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer tokens for /metrics; if empty, it is public"
    )
    milvus_uri: str = Field(description="http://host:port of Milvus, or unix:PATH")
    milvus_token: SecretStr = Field(default=SecretStr(""), description="user:password, or a token")
    milvus_ca: Path | None = Field(
        default=None,
        description="File with the authorities that sign the certificate of an https Milvus, if they are private",
    )
    milvus_tenancy: Tenancy = Field(
        default=Tenancy.DEDICATED,
        description="`Dedicated`: a collection for each tenant; `Shared`: one for all, for more than some thousands",
    )
    milvus_timeout_seconds: float = Field(default=5.0, gt=0)
    embedder: str = Field(
        description="Folder with model.onnx, tokenizer.json and embedder.json, as retrieval.embedding.export writes "
        "it, or http address of a server with /v1/embeddings"
    )
    embedder_threads: int = Field(default=1, ge=1, description="For a model in a folder")
    embedder_model: str = Field(default="", description="The model's name at a server")
    embedder_token: SecretStr = Field(default=SecretStr(""), description="Bearer token for that server")
    embedder_seconds: float = Field(
        default=1.0,
        gt=0,
        description="Time for a question at that server, after which it is searched for by its words",
    )
    embedder_max_tokens: int = Field(default=512, ge=16, le=8_192, description="Of a text that the server reads whole")
    embedder_query_prefix: str = Field(default="", description="Before a question, if the server does not put it there")
    embedder_passage_prefix: str = Field(default="", description="Before a passage, likewise")

    def opened_embedder(self) -> Embedder:
        """Raises `EmbedderError`."""
        recipe = Recipe(
            max_tokens=self.embedder_max_tokens,
            query_prefix=self.embedder_query_prefix,
            passage_prefix=self.embedder_passage_prefix,
        )
        server = Server(self.embedder_model, self.embedder_token, self.embedder_seconds, recipe)
        return opened(self.embedder, threads=self.embedder_threads, server=server)


class Settings(ServiceSettings):
    """`QUIVER_RETRIEVAL_*`."""

    model_config = SettingsConfigDict(env_prefix="QUIVER_RETRIEVAL_", frozen=True)

    port: int = Field(default=8310, ge=0, le=65_535)
    pool: int = Field(default=10, ge=1, le=50, description="Hits fused per retriever; more let in worse hits")
    reranker: str = Field(
        default="",
        description="Folder with model.onnx and tokenizer.json of a cross-encoder, or http address of a server with "
        "/v1/rerank; if empty, hits are ordered by relevance alone",
    )
    reranker_model: str = Field(default="", description="The model's name at that server")
    reranker_token: SecretStr = Field(default=SecretStr(""), description="Bearer token for that server")
    reranker_seconds: float = Field(
        default=0.3, gt=0, description="Time of re-ranking, after which hits keep their order"
    )
    cached_queries: int = Field(default=1_024, ge=1)
    tenant_labels: int = Field(default=200, ge=1, description="Tenants with metric series of their own")
