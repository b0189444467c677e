"""hf://ORGANISATION/NAME@REVISION: the Hugging Face Hub (https://huggingface.co/docs/hub/api)."""

import json
import re
from urllib.parse import quote

from yarl import URL

from serving.agent.errors import UnavailableError
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.download import Remote
from serving.agent.sources.http import Client
from serving.agent.sources.request import Access, Request
from serving.agent.sources.uri import HubSource
from serving.agent.verify import FILES

_COMMIT = re.compile(r"[0-9a-f]{40}")


async def remotes(client: Client, source: HubSource, credentials: Credentials, endpoint: str) -> dict[str, Remote]:
    """Both files of one commit, however the branch moves while they are fetched."""
    access = Access.of(credentials, "HF_TOKEN")
    token = credentials.get("HF_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    commit = source.revision
    if not _COMMIT.fullmatch(commit):
        commit = await _commit(client, Request(_revision_url(source, endpoint), headers, access))
    base = f"{endpoint.rstrip('/')}/{source.repository}/resolve/{commit}"
    return {file: Remote(Request(URL(f"{base}/{file}"), headers, access)) for file in FILES}


def _revision_url(source: HubSource, endpoint: str) -> URL:
    revision = quote(source.revision, safe="")
    return URL(f"{endpoint.rstrip('/')}/api/models/{source.repository}/revision/{revision}", encoded=True)


async def _commit(client: Client, request: Request) -> str:
    _, body = await client.document(request)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    match answer:
        case {"sha": str(commit)} if _COMMIT.fullmatch(commit):
            return commit
    raise UnavailableError("AnswerInvalid", f"{client.name}: the Hub names no commit; it is tried again")
