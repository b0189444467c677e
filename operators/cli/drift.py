"""`quiver drift`: shows what the detector sees."""

import subprocess
import sys

import click


@click.group()
def drift() -> None:
    """Try the detection of drift."""


@drift.command()
def drill() -> None:
    """Make eight known changes in made traffic, and show what catches each: the signal, the time, the cause.

    The detector is the platform's own; nothing that runs is touched. It takes about a minute.
    """
    sys.exit(subprocess.run([sys.executable, "-m", "serving.drift.drill"], check=False).returncode)
