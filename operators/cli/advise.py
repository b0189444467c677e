"""`quiver advise`: prompt, retrieve, or fine-tune?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from operators.cli.access import Access
from operators.cli.arguments import DEFAULT_PORT
from operators.clients.documents import DocumentsClient
from operators.clients.public_client import Object, PublicClient

_WEEK = timedelta(days=7)


@click.command()
@click.option("--evaluation", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The result.json of quiver evaluate; its first variant is the base.")  # fmt: skip
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Labelled examples, as quiver tune check reads them.")  # fmt: skip
@click.option("--store", "stores", multiple=True, help="A vector store with the tenant's documents; may be repeated.")
@click.option("--made-up", type=click.Choice(["costly", "tolerable"]), help="How bad is a made-up answer?")
@click.option("--explain", type=click.Choice(["yes", "no"]), help="Must each answer be explained?")
@click.option("--url", envvar="QUIVER_URL", default=f"http://127.0.0.1:{DEFAULT_PORT}", show_default=True,
              help="The gateway's address (QUIVER_URL), for --store.")  # fmt: skip
@click.option("--key", envvar="QUIVER_API_KEY", help="A key with the scope `documents` (QUIVER_API_KEY), for --store.")
def advise(
    evaluation: Path | None, data: Path | None, stores: Sequence[str], made_up: str | None, explain: str | None,
    url: str, key: str | None,
) -> None:  # fmt: skip
    """Answer six questions from a tenant's facts, and recommend a prompt, documents, an adapter, or several.

    Every answer has its figure and where it is from; what is missing is said. A measured comparison decides.
    """
    from tuning.advice import reading  # imported late: few commands need numpy
    from tuning.advice.advice import advised
    from tuning.advice.facts import Fact, Facts
    from tuning.advice.report import lines

    if stores and not key:
        raise click.ClickException("--store needs a key with the scope `documents`: --key, or QUIVER_API_KEY")
    try:
        measured = reading.measured(evaluation) if evaluation else None
        rows, conflicts = reading.labelled(data) if data else (None, None)
    except (reading.InputInvalidError, OSError) as error:
        raise click.ClickException(str(error)) from error
    documents = _documents(Access(url, key, "gateway"), stores) if key and stores else None
    source = ", ".join(stores)
    facts = Facts(
        documents=Fact(documents.count, source) if documents else None,
        changed_weekly=Fact(documents.changed, source) if documents and documents.changed is not None else None,
        change_unclear=documents.unclear if documents else "",
        rows=rows, conflicts=conflicts, measured=measured,
        wrong_is_costly=Fact(made_up == "costly", "--made-up") if made_up else None,
        must_explain=Fact(explain == "yes", "--explain") if explain else None,
    )  # fmt: skip
    click.echo("\n".join(lines(advised(facts))))


@dataclass(frozen=True)
class Documents:
    """The number of documents, and the share added or changed in the last week, or why that is not clear."""

    count: int
    changed: float | None
    unclear: str = ""


def documents_of(files: Sequence[Object], now: datetime) -> Documents:
    """Documents of a folder have no date of their own in the API: only uploads and web pages tell of changes."""
    dated = [datetime.fromtimestamp(file["created_at"], UTC) for file in files if file["created_at"]]
    changed = sum(date > now - _WEEK for date in dated)
    if not dated:
        return Documents(len(files), None, "the documents are a folder's, which have no dates here")
    if changed == len(dated):
        return Documents(len(files), None, "all documents are younger than a week")
    return Documents(len(files), changed / len(dated))


def _documents(access: Access, stores: Sequence[str]) -> Documents:
    async def listed(client: PublicClient) -> list[Object]:
        documents = DocumentsClient(client)
        return [file for store in stores for file in await documents.files(store)]

    return documents_of(access.run(listed), datetime.now(UTC))
