"""`python -m serving.agent.fetch`: fetches the inputs of a training once, from the same sources as adapters.

What is there already stays: a training that is started again has the same inputs. Credentials are read from
QUIVER_AGENT_CREDENTIALS, as JSON by input: data and adapter.

Exits with REFUSED if another try would fail as this one, and says why as a line of JSON.
"""

import argparse
import asyncio
import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.fine_tune import Data
from contract.job import REFUSED, RESULT
from serving.agent.errors import AgentError, RefusedError
from serving.agent.settings import InputSettings
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.uri import shown
from serving.agent.uploads import Uploads
from serving.agent.verify import FILES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m serving.agent.fetch", description=__doc__)
    parser.add_argument("--data", nargs=2, metavar=("SOURCE", "FILE"), help="one file, and where it becomes which")
    parser.add_argument("--sha256", help="of the data's content: any other is refused")
    parser.add_argument(
        "--alone", metavar="BEGINNING", help="first removes other folders with this beginning beside it"
    )
    parser.add_argument("--keep", default="", metavar="FOLDER", help="is not removed")
    parser.add_argument("--adapter", nargs=2, metavar=("SOURCE", "FOLDER"), help="an adapter's two files")
    given, settings = parser.parse_args(), InputSettings()
    if given.data and Path(given.data[1]).with_name(RESULT).is_file():  # the job has ended: only its result is read
        return 0
    credentials: Mapping[str, Mapping[str, str]] = json.loads(settings.credentials.get_secret_value())
    fetcher = Fetcher(settings.policy)
    try:
        if given.data and given.alone:
            _remove_others(Path(given.data[1]).parent, given.alone, given.keep)
        if given.data:
            data = _Data(given.data[0], Path(given.data[1]), given.sha256)
            asyncio.run(data.fetch(fetcher, _uploads(settings), credentials.get("data", {})))
        if given.adapter:
            asyncio.run(_adapter(fetcher, given.adapter[0], Path(given.adapter[1]), credentials.get("adapter", {})))
    except AgentError as error:
        sys.stdout.write(json.dumps({"error": error.message}) + "\n")
        return REFUSED if isinstance(error, RefusedError) else 1
    except OSError as error:
        fault = f"{error.filename or 'a file'} could not be written: {error.strerror}"
        sys.stdout.write(json.dumps({"error": fault}) + "\n")
        return 1
    return 0


def _remove_others(folder: Path, beginning: str, kept: str) -> None:
    """The folders of an object's earlier jobs, except `kept`."""
    for other in folder.parent.glob(f"{beginning}*"):
        if other.name not in (folder.name, kept) and not other.is_symlink():
            shutil.rmtree(other, ignore_errors=True)


def _uploads(settings: InputSettings) -> Uploads:
    token = settings.gateway_token.get_secret_value()
    return Uploads(settings.gateway_url, token, settings.max_bytes, settings.fetch_stall_s)


@dataclass(frozen=True)
class _Data:
    """One file, the place that it gets, and the SHA-256 of its content, if it is pinned."""

    source: str
    target: Path
    digest: str | None

    async def fetch(self, fetcher: Fetcher, uploads: Uploads, credentials: Mapping[str, str]) -> None:
        if self.target.is_file():
            return
        staged = _staged(self.target)
        upload = Data(source=self.source).upload
        if upload:
            await uploads.fetch(upload, staged / upload)
        fetched = staged / (upload or await self._fetched(fetcher, staged, credentials))
        _require(self.digest, fetched, self.source)
        fetched.replace(self.target)
        staged.rmdir()

    async def _fetched(self, fetcher: Fetcher, folder: Path, credentials: Mapping[str, str]) -> str:
        """The file's name: the last part of the source."""
        place, query = _split(self.source)
        directory, _, name = place.rpartition("/")
        if not name or not directory or name.startswith("."):
            raise RefusedError("SourceInvalid", f"{shown(self.source)} names no file; end it with the file's name")
        await fetcher.fetch(f"{directory or '/'}{query}", folder, credentials, (name,))
        return name


def _split(source: str) -> tuple[str, str]:
    """The query of a web address is kept for the directory's, since it may be signed."""
    place, question, query = source.partition("?")
    return place, question + query


def _require(digest: str | None, file: Path, source: str) -> None:
    """Raises RefusedError for other content."""
    if digest is None:
        return
    with file.open("rb") as content:
        actual = hashlib.file_digest(content, "sha256").hexdigest()
    if actual != digest:
        raise RefusedError("DigestMismatch", f"{shown(source)} is sha256 {actual}, and spec.data.digest pins {digest}")


async def _adapter(fetcher: Fetcher, source: str, target: Path, credentials: Mapping[str, str]) -> None:
    if target.is_dir():
        return
    staged = _staged(target)
    await fetcher.fetch(source, staged, credentials, FILES)
    staged.rename(target)


def _staged(target: Path) -> Path:
    staged = target.with_name(f"{target.name}.fetched")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    return staged


if __name__ == "__main__":
    sys.exit(main())
