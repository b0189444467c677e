"""The address of a run's gateway: a file beside the run's lock, read by commands."""

from pathlib import Path

from operators.local.directory import STATE
from operators.local.layout import Layout, url

FILE = "address"


def write(layout: Layout) -> None:
    (layout.state / FILE).write_text(url(layout.gateway_port))


def write_metrics_token(layout: Layout) -> None:
    """Writes the token for Prometheus (authorization.credentials_file) into a private directory."""
    layout.metrics_token.write_text(layout.tokens["metrics"])


def write_platform_key(layout: Layout) -> None:
    """The key for the console's view of all tenants, in the same directory."""
    layout.platform_key.write_text(layout.tokens["platform"])


def read(root: Path) -> str | None:
    """The address from the last run; valid only while the directory is running."""
    try:
        return (root / STATE / FILE).read_text()
    except FileNotFoundError:
        return None
