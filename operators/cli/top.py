"""`quiver top`: what each tenant's callers meet now."""

import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import click

from operators.cli.arguments import directory_argument
from operators.local.address import read_metrics_urls
from operators.local.directory import STATE
from operators.local.layout import METRICS_TOKEN
from operators.local.lock import is_running
from operators.local.table import table
from operators.local.traffic import Page, Traffic, page, traffic

_LIMIT_S = 10
_HEADER = ("TENANT", "IN FLIGHT", "REQUESTS/S", "FAILED", "FIRST TOKEN P95", "TOKENS/S", "CHANGED")


@click.command()
@directory_argument
@click.option("--every", type=click.FloatRange(0.5, 3600), default=2.0, show_default=True, help="Seconds.")
@click.option("--times", type=click.IntRange(1), help="Ends after so many tables; without it, by Ctrl-C.")
def top(root: Path, every: float, times: int | None) -> None:
    """Show the traffic of DIR's tenants, the busiest first: requests, failures, first tokens, tokens, drift."""
    before, shown = _read(root), 0
    while times is None or shown < times:
        time.sleep(every)
        after = _read(root)
        if times is None:
            click.clear()
        click.echo(shown_as_table(traffic(before, after)))
        before, shown = after, shown + 1


def shown_as_table(rows: Sequence[Traffic]) -> str:
    return table(_HEADER, [_cells(row) for row in rows]) if rows else "no tenant has made a request yet"


def _cells(row: Traffic) -> tuple[str, ...]:
    failed = "-" if row.failed is None else f"{row.failed:.1%}"
    first = "-" if row.first_token is None else f"{row.first_token:.2f} s"
    return (row.tenant, str(row.in_flight), f"{row.requests:.1f}", failed, first, f"{row.tokens:.0f}", row.drift or "-")


def _read(root: Path) -> Page:
    urls = read_metrics_urls(root) if is_running(root) else ()
    if not urls:
        raise click.ClickException(f"{root} is not running; start it with quiver up {root}")
    token = (root / STATE / METRICS_TOKEN).read_text()
    try:
        return page([_text(url, token) for url in urls], time.monotonic())
    except (OSError, ValueError) as error:
        reason = str(error) or "they have another format"
        raise click.ClickException(f"the metrics of {root} cannot be read: {reason}; see quiver logs {root}") from error


def _text(url: str, token: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310  # our own parts
    with urllib.request.urlopen(request, timeout=_LIMIT_S) as response:  # noqa: S310
        text: str = response.read().decode()
    return text
