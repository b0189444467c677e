"""`quiver documents`: puts documents in, looks at them, searches and deletes them, as a tenant's people do."""

import textwrap
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from operators.cli.access import Access
from operators.cli.arguments import DEFAULT_PORT
from operators.clients.documents import DocumentsClient
from operators.clients.public_client import Object
from operators.local import table

WIDTH = 100
T = TypeVar("T")

file_argument = click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@dataclass(frozen=True)
class Gateway:
    access: Access

    def run(self, work: Callable[[DocumentsClient], Awaitable[T]]) -> T:
        return self.access.run(lambda client: work(DocumentsClient(client)))


@click.group()
@click.option("--url", envvar="QUIVER_URL", default=f"http://127.0.0.1:{DEFAULT_PORT}", show_default=True,
              help="The gateway's address (QUIVER_URL).")  # fmt: skip
@click.option("--key", envvar="QUIVER_API_KEY", required=True,
              help="A key with the scope `documents` (QUIVER_API_KEY).")  # fmt: skip
@click.pass_context
def documents(context: click.Context, url: str, key: str) -> None:
    """The documents of the key's tenant, on a cluster or on this machine.

    STORE is the id of a vector store, or vs_NAME for the KnowledgeBase NAME.
    """
    context.obj = Gateway(Access(url, key, "gateway"))


@documents.command()
@click.pass_obj
def stores(gateway: Gateway) -> None:
    """List the vector stores."""
    rows = [
        (
            store["id"],
            store["name"] or "-",
            "object" if store["managed"] else "API",
            *(str(store["file_counts"][state]) for state in ("completed", "in_progress", "failed")),
        )
        for store in gateway.run(lambda client: client.stores())
    ]
    click.echo(table.table(("STORE", "NAME", "MADE BY", "READY", "IN PROGRESS", "FAILED"), rows))


@documents.command()
@click.argument("name")
@click.pass_obj
def create(gateway: Gateway, name: str) -> None:
    """Make a vector store called NAME, and print its id."""
    click.echo(gateway.run(lambda client: client.create_store(name))["id"])


@documents.command()
@click.argument("store")
@file_argument
@click.option("--attribute", "attributes", metavar="KEY=VALUE", multiple=True, help="For filters; may be repeated.")
@click.pass_obj
def add(gateway: Gateway, store: str, paths: Sequence[Path], attributes: Sequence[str]) -> None:
    """Upload each FILE into STORE, and wait until it can be searched.

    An uploaded file of the same name is replaced: it answers until the new one does, and leaves STORE then.
    """
    failed = gateway.run(lambda client: _add_all(client, store, paths, _parsed(attributes)))
    if failed:
        raise click.ClickException(f"{failed} of {len(paths)} files cannot be searched; their lines say why")


@documents.command("list")
@click.argument("store")
@click.pass_obj
def listing(gateway: Gateway, store: str) -> None:
    """List the documents of STORE: state, passages, and why one failed."""
    rows = [
        (file["id"], file["filename"], file["state"], str(file["passages"]), _why(file))
        for file in gateway.run(lambda client: client.files(store))
    ]
    click.echo(table.table(("FILE", "NAME", "STATE", "PASSAGES", "WHY"), rows))


@documents.command()
@click.argument("store")
@click.argument("question")
@click.option("--most", type=click.IntRange(1, 50), default=5, show_default=True, help="Passages to show.")
@click.option(
    "--match",
    type=click.Choice(["any", "words", "phrase"]),
    default="any",
    show_default=True,
    help="Passages near in meaning or words; with every word of QUESTION; with its text.",
)
@click.pass_obj
def search(gateway: Gateway, store: str, question: str, most: int, match: str) -> None:
    """Show the passages of STORE for QUESTION, the most relevant first."""
    for found in gateway.run(lambda client: client.search(store, question, most, match)):
        line = f"{found['score']:.2f} {found['filename']}: {found['content'][0]['text']}"
        click.echo(textwrap.shorten(line, WIDTH, placeholder=" …"))


@documents.command()
@click.argument("file_ids", metavar="FILE_ID...", nargs=-1, required=True)
@click.pass_obj
def remove(gateway: Gateway, file_ids: Sequence[str]) -> None:
    """Delete each FILE_ID: its bytes, its record, and its passages in every vector store."""

    async def remove_all(client: DocumentsClient) -> None:
        for file_id in file_ids:
            erased = (await client.delete_file(file_id))["erased"]
            click.echo(f"{file_id} is deleted" + ("" if erased else "; its passages go within a minute"))

    gateway.run(remove_all)


@documents.command()
@click.pass_obj
def deletions(gateway: Gateway) -> None:
    """List deleted files and vector stores, and whether a search afterwards found nothing of them."""
    rows = [
        (
            each["id"],
            _at(each["deleted_at"]),
            each["subject"],
            each["name"] or "-",
            "yes" if each["proven"] else "not yet",
        )
        for each in gateway.run(lambda client: client.deletions())
    ]
    click.echo(table.table(("DELETION", "AT", "OF", "NAME", "PROVEN"), rows))


@documents.group()
def web() -> None:
    """Pages and sites that STORE follows."""


@web.command("add")
@click.argument("store")
@click.argument("url")
@click.option("--depth", type=click.IntRange(0, 5), default=0, show_default=True,
              help="Links to follow, within the directory of URL.")  # fmt: skip
@click.option("--most-pages", type=click.IntRange(1, 1_000), default=100, show_default=True)
@click.option("--every-minutes", type=click.IntRange(5, 44_640), default=1_440, show_default=True)
@click.pass_obj
def add_web(gateway: Gateway, store: str, url: str, depth: int, most_pages: int, every_minutes: int) -> None:
    """Follow URL: a page, a part of a site, or a sitemap. Its first look is waited for."""
    body = {"url": url, "depth": depth, "most_pages": most_pages, "every_minutes": every_minutes}
    source = gateway.run(lambda client: client.add_web(store, body, lambda pages: click.echo(f"{pages} pages so far")))
    click.echo(f"{source['id']}: {source['pages']} pages. {source['message']}".rstrip())


@web.command("list")
@click.argument("store")
@click.pass_obj
def list_web(gateway: Gateway, store: str) -> None:
    """List what STORE follows: pages, the time of the last look, and what could not be read."""
    rows = [
        (source["id"], source["url"], str(source["pages"]), _at(source["looked_at"]), source["message"])
        for source in gateway.run(lambda client: client.web(store))
    ]
    click.echo(table.table(("SOURCE", "URL", "PAGES", "LOOKED AT", "MESSAGE"), rows))


@web.command("remove")
@click.argument("store")
@click.argument("source")
@click.pass_obj
def remove_web(gateway: Gateway, store: str, source: str) -> None:
    """Stop following SOURCE, and delete the documents that its pages are."""
    gateway.run(lambda client: client.remove_web(store, source))
    click.echo(f"{source} is removed, with its pages")


def _at(seconds: int | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="minutes") if seconds else "-"


async def _add_all(client: DocumentsClient, store: str, paths: Sequence[Path], attributes: Mapping[str, str]) -> int:
    """The number of files that cannot be searched."""
    earlier: dict[str, set[str]] = defaultdict(set)
    for each in await client.files(store):
        if each["uploaded"]:
            earlier[each["filename"]].add(each["id"])
    failed = 0
    for number, path in enumerate(paths, 1):
        begin = f"{number} of {len(paths)}: {path.name}: "
        uploaded = await client.upload(path)
        click.echo(f"{begin}uploaded as {uploaded['id']}")
        file = await client.attach(store, uploaded["id"], attributes)
        click.echo(begin + _outcome(file))
        if file["status"] != "completed":
            failed += 1
            continue
        for before in earlier.pop(uploaded["filename"], set()) - {file["id"]}:
            await client.drop(store, before)
            click.echo(f"{begin}replaces {before}")
    return failed


def _parsed(attributes: Sequence[str]) -> Mapping[str, str]:
    pairs = [attribute.partition("=") for attribute in attributes]
    wrong = next((key for key, equals, _ in pairs if not key or not equals), None)
    if wrong is not None:
        raise click.ClickException(f"{wrong!r} is no attribute; write KEY=VALUE")
    return {key: value for key, _, value in pairs}


def _outcome(file: Object) -> str:
    return f"ready, {file['passages']} passages" if file["status"] == "completed" else _why(file)


def _why(file: Object) -> str:
    return str(file["last_error"]["message"]) if file["last_error"] else ""
