"""Names shared by several parts."""

GROUP = "quiver.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ANY_TENANT = "*"
# The embedder's name in the field `model` of requests.
EMBEDDER = "all-minilm-l6-v2"
