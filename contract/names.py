"""Names that more than one part must agree on."""

GROUP = "quiver.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ANY_TENANT = "*"
DIGEST_LENGTH_IN_NAME = 12
# What the embedder that searches documents is called in `model`.
EMBEDDER = "all-minilm-l6-v2"


def engine_name(tenant: str, adapter: str, digest: str) -> str:
    """What the engine knows one version as. Never reused for other content, never shown to a caller.

    A tenant's and an adapter's name hold no dot, so the three parts can be told apart again.
    """
    return f"{tenant}.{adapter}.{digest[:DIGEST_LENGTH_IN_NAME]}"
