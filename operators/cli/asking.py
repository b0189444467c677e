"""`quiver ask`: asks a question as a caller does, and shows the answer with its citations."""

import contextlib
import json
import secrets
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from contract.api_key import new_key
from operators.cli.arguments import directory_argument
from operators.cli.keys import tenant_of, write_new
from operators.local import directory
from operators.local.address import read as read_address
from operators.local.directory import Contents
from operators.local.lock import is_running

ANSWER_S = 120.0
# The gateway accepts a new key within this time, even on a busy machine.
KEY_S = 30.0
KEY_LIFE = timedelta(minutes=10)
WIDTH = 100


@click.command()
@directory_argument
@click.argument("model", metavar="TENANT/MODEL")
@click.argument("question")
@click.option("--knowledge-base", "knowledge_bases", multiple=True, help="Search this knowledge base; may be repeated.")
@click.option("--why", is_flag=True, help="Show every passage that was considered, with its relevance.")
def ask(root: Path, model: str, question: str, knowledge_bases: tuple[str, ...], why: bool) -> None:
    """Ask MODEL of TENANT as one of its callers, and show the answer with the passages it cites.

    By default the adapter's own knowledge bases are searched. The key for the request is temporary.
    """
    tenant, slash, name = model.partition("/")
    if not (tenant and slash and name):
        raise click.ClickException(f"{model} is not the name of a model; write TENANT/MODEL, such as acme/support")
    address = read_address(root) if is_running(root) else None
    if address is None:
        raise click.ClickException(f"{root} is not running; start it with quiver up {root}")
    body: dict[str, Any] = {"model": name, "messages": [{"role": "user", "content": question}]}
    retrieval = {"knowledge_bases": list(knowledge_bases)} if knowledge_bases else {}
    if retrieval or why:
        body["retrieval"] = retrieval | ({"explain": True} if why else {})
    with _key(root, tenant) as key:
        answer = _answer(address, key, body)
    click.echo(shown(answer["choices"][0]["message"]))
    if why:
        click.echo(explained(answer.get("retrieval")))


def shown(message: dict[str, Any]) -> str:
    """An answer, and under it each cited passage once, with the passages that contradict it."""
    lines = [message.get("content") or message.get("refusal") or "(no text)"]
    cited: dict[str, list[str]] = {}
    for annotation in message.get("annotations") or ():
        citation = annotation["url_citation"]
        mark = lines[0][citation["start_index"] : citation["end_index"]]
        cited.setdefault(mark, _passages(mark, citation))
    return "\n".join([*lines, *(line for passages in cited.values() for line in passages)])


def _passages(mark: str, citation: dict[str, Any]) -> list[str]:
    """A line each. Dates matter where passages contradict each other."""
    others = citation.get("contradicted_by") or ()  # an earlier gateway has none
    if not others:
        return [_line(f"{mark} {_title(citation)}", citation)]
    return [
        _line(f"{lead} {_title(passage)} of {passage['dated']}", passage)
        for lead, passage in ((mark, citation), *(("but", other) for other in others))
    ]


def _title(passage: dict[str, Any]) -> str:
    page = passage.get("page")  # an earlier gateway has none
    return f"{passage['title']}, page {page}" if page else str(passage["title"])


def _line(lead: str, passage: dict[str, Any]) -> str:
    return textwrap.shorten(f"{lead}: {passage['text']}", WIDTH, placeholder=" …")


def explained(retrieval: dict[str, Any] | None) -> str:
    """Every passage that was considered, a line each: its relevance, its mark in the prompt, document and text."""
    if retrieval is None:
        return "\nNo documents were searched."
    head = f"\nSearch: {retrieval['outcome']}; a relevance of {retrieval['min_relevance']:.2f} is needed."
    lines = (
        f"{each['relevance']:.2f} {'[' + str(each['mark']) + ']' if each['mark'] else '   '} "
        f"{_title({**each, 'title': each['document']})}: {each['text']}"
        for each in retrieval["passages"]
    )
    return "\n".join([head, *(textwrap.shorten(line, WIDTH, placeholder=" …") for line in lines)])


@contextmanager
def _key(root: Path, tenant: str) -> Iterator[str]:
    """A temporary key of the tenant. It is removed after the block, and expires within minutes in any case."""
    namespace = tenant_of(root, directory.read(root, Contents()), tenant).spec.namespace
    name = f"ask-{secrets.token_hex(4)}"
    key, item = new_key(namespace, name, secrets.token_bytes(32), expires_at=datetime.now(UTC) + KEY_LIFE)
    path = root / f"key-{tenant}-{name}.yaml"
    write_new(path, item)
    try:
        yield key
    finally:
        path.unlink(missing_ok=True)


def _answer(address: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + KEY_S
    while True:
        status, answer = _posted(f"{address}/v1/chat/completions", key, body)
        if status == 200:
            value: dict[str, Any] = answer
            return value
        if status != 401 or time.monotonic() > deadline:
            raise click.ClickException(answer["error"]["message"])
        time.sleep(0.1)


def _posted(url: str, key: str, body: dict[str, Any]) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310  # our own gateway
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error, contextlib.suppress(ValueError):
            return error.code, json.load(error)
        raise click.ClickException(f"the gateway at {url} answered {error.code}, without a reason") from error
    except (OSError, TimeoutError) as error:
        raise click.ClickException(f"the gateway at {url} does not answer: {error}") from error
