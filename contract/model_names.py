"""Names of base models as training tools write them into adapters' configurations (pure)."""

import re
from collections.abc import Collection

# Publishers' suffixes of quantised or republished models.
_SUFFIXES = re.compile(r"(-(unsloth|bnb|4bit|8bit|awq|gptq|int4|int8|w4a16|w8a8|fp8|nvfp4|dynamic|quantized))+$")
# The hub's cache: models--ORG--NAME/snapshots/COMMIT.
_CACHED = re.compile(r"models--[^/]+?--(?P<name>[^/]+)/snapshots/")


def may_name(given: str, names: Collection[str]) -> bool:
    """True if `given` may mean one of these models: configurations often name a quantised twin, a mirror or a path
    instead."""
    return _plain(given) in {_plain(name) for name in names}


def _plain(name: str) -> str:
    cached = _CACHED.search(name)
    last = cached["name"] if cached else name.rstrip("/").rpartition("/")[2]
    plain = re.sub(r"[._\s-]+", "-", last.partition("@")[0].lower())
    return _SUFFIXES.sub("", plain).removeprefix("meta-")
