"""Where the gateway of a run answers: a file beside the run's lock, for commands that ask it."""

from pathlib import Path

from operators.local.directory import STATE
from operators.local.layout import Layout, url

FILE = "address"


def write(layout: Layout) -> None:
    (layout.state / FILE).write_text(url(layout.gateway_port))


def write_metrics_token(layout: Layout) -> None:
    """For Prometheus (authorization.credentials_file), in a directory that nobody else can read."""
    layout.metrics_token.write_text(layout.tokens["metrics"])


def read(root: Path) -> str | None:
    """What the last run wrote; it means something only while the directory is running."""
    try:
        return (root / STATE / FILE).read_text()
    except FileNotFoundError:
        return None
