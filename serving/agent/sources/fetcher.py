"""Fetches a source's files into a directory, for any kind of source."""

import asyncio
import errno
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from serving.agent.errors import UnavailableError
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.http import trust
from serving.agent.sources.kind import Fetch
from serving.agent.sources.policy import Policy
from serving.agent.sources.schemes import parse
from serving.agent.sources.uri import shown
from serving.agent.verify import FILES


class Fetcher:
    """Stateless between fetches; any number may run at once, each into its own directory."""

    def __init__(self, policy: Policy) -> None:
        """Raises OSError when the policy's `ca_file` cannot be read."""
        self._policy = policy
        self._tls = trust(policy)

    async def fetch(
        self, source: str, into: Path, credentials: Mapping[str, str], files: Sequence[str] = FILES
    ) -> None:
        """`into` must exist. Afterwards it holds `files`; after an error it may hold parts of them, and
        the next attempt replaces these. Raises RefusedError and UnavailableError.
        """
        parsed, name = parse(source), shown(source)
        parts = {file: into / f"{file}.part" for file in files}
        attempt = Fetch(name, parts, Credentials(credentials), self._policy, self._tls, datetime.now(UTC))
        try:
            async with asyncio.timeout(self._policy.timeout_s):
                await asyncio.to_thread(_remove, parts)
                await parsed.fetch(attempt)
                await asyncio.to_thread(_publish, parts)
        except TimeoutError as error:
            raise UnavailableError(
                "FetchTimedOut", f"{name} was not fetched within {self._policy.timeout_s:g} s; it is tried again"
            ) from error
        except OSError as error:
            raise _disk_fault(error, name) from error


def _remove(parts: Mapping[str, Path]) -> None:
    for part in parts.values():
        part.unlink(missing_ok=True)


def _publish(parts: Mapping[str, Path]) -> None:
    for file, part in parts.items():
        part.replace(part.with_name(file))


def _disk_fault(error: OSError, name: str) -> UnavailableError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError("NoSpace", f"{name}: no space left for adapters; free some, it is tried again")
    return UnavailableError(
        "ReadFailed", f"{name} could not be copied: {error.strerror or type(error).__name__}; it is tried again"
    )
