"""Names shared by several parts."""

GROUP = "quiver.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ANY_TENANT = "*"
DIGEST_LENGTH_IN_NAME = 12
# The embedder's name in `model`.
EMBEDDER = "all-minilm-l6-v2"


def engine_name(tenant: str, adapter: str, digest: str) -> str:
    """The engine's name for one version. Never reused for other content, never shown to a caller.

    Names of tenants and adapters hold no dot, so the three parts can be separated again.
    """
    return f"{tenant}.{adapter}.{digest[:DIGEST_LENGTH_IN_NAME]}"
