"""Where an artifact is (one function a scheme). Local directories only, so far."""

from pathlib import Path

from serving.agent.errors import RefusedError


def local_directory(source: str) -> Path:
    """The directory that a `file://` URI or an absolute path names. Raises RefusedError for any other scheme."""
    scheme, separator, rest = source.partition("://")
    if separator and scheme != "file":
        raise RefusedError("SourceUnsupported", f"{scheme}:// is not a source here; use file:// or a path")
    return Path(rest if separator else source)
