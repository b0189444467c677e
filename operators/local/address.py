"""The addresses of a run's gateway and metrics: files beside the run's lock, read by commands."""

from pathlib import Path

from operators.local.directory import STATE
from operators.local.layout import Layout, url

FILE = "address"
METRICS = "metrics-addresses"


def write(layout: Layout) -> None:
    (layout.state / FILE).write_text(url(layout.gateway_port))


def write_metrics(layout: Layout) -> None:
    """Writes the token for Prometheus (authorization.credentials_file) into a private directory, and the addresses of
    the gateway's and the detector's pages."""
    layout.metrics_token.write_text(layout.tokens["metrics"])
    (layout.state / METRICS).write_text("\n".join(metrics_urls(layout)))


def metrics_urls(layout: Layout) -> tuple[str, str]:
    """Of the gateway and of the drift detector."""
    return f"{url(layout.internal_port)}/metrics", f"{url(layout.drift_port)}/metrics"


def read_metrics_urls(root: Path) -> tuple[str, ...]:
    """As of the last run; valid only while the directory is running."""
    try:
        return tuple((root / STATE / METRICS).read_text().splitlines())
    except FileNotFoundError:
        return ()


def write_platform_key(layout: Layout) -> None:
    """The key for the console's view of all tenants, in the same directory."""
    layout.platform_key.write_text(layout.tokens["platform"])


def read(root: Path) -> str | None:
    """The address from the last run; valid only while the directory is running."""
    try:
        return (root / STATE / FILE).read_text()
    except FileNotFoundError:
        return None
