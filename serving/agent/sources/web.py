"""https://HOST/DIRECTORY (pure)."""

from yarl import URL

from serving.agent.sources.credentials import Credentials, basic
from serving.agent.sources.download import Remote
from serving.agent.sources.request import Access, Request
from serving.agent.sources.uri import WebSource
from serving.agent.verify import FILES


def remotes(source: WebSource, credentials: Credentials) -> dict[str, Remote]:
    """The files' names are appended to the path; the query stays, to the letter: it may be signed."""
    directory, question, query = source.url.partition("?")
    access = Access.of(credentials, "HTTP_AUTHORIZATION", "HTTP_USERNAME", "HTTP_PASSWORD")
    headers = _authorization(credentials)
    urls = {file: URL(f"{directory.rstrip('/')}/{file}{question}{query}", encoded=True) for file in FILES}
    return {file: Remote(Request(url, headers, access)) for file, url in urls.items()}


def _authorization(credentials: Credentials) -> dict[str, str]:
    value = credentials.get("HTTP_AUTHORIZATION")
    user, password = credentials.get("HTTP_USERNAME"), credentials.get("HTTP_PASSWORD")
    if not value and (user or password):
        value = basic(user, password)
    return {"Authorization": value} if value else {}
