"""Every scheme of a source, from the files in `kinds`."""

from collections.abc import Mapping

from service.plugins import classes_in
from serving.agent.errors import RefusedError
from serving.agent.sources import kinds
from serving.agent.sources.kind import Source
from serving.agent.sources.uri import MAX_LENGTH, invalid, shown


def kinds_by_scheme() -> Mapping[str, type[Source]]:
    """Imports every file of the folder."""
    return {scheme: kind for kind in classes_in(kinds, Source) for scheme in kind.schemes}  # type: ignore[type-abstract]


BY_SCHEME = kinds_by_scheme()


def parse(source: str) -> Source:
    """An absolute path, or a URI with a scheme of a file in `kinds`. Raises RefusedError for anything else."""
    if len(source) > MAX_LENGTH or not source.isprintable():
        raise invalid(source, f"is longer than {MAX_LENGTH} characters or holds some that cannot be printed")
    scheme, separator, rest = source.partition("://")
    if not separator:
        scheme, rest = "file", source
    kind = BY_SCHEME.get(scheme)
    if kind is None:
        forms = ", ".join(dict.fromkeys(form for each in BY_SCHEME.values() for form in each.forms))
        raise RefusedError("SourceUnsupported", f"{shown(source)} is not a source here; use one of {forms}")
    return kind.parse(source, rest)
