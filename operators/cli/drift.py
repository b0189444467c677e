"""`quiver drift`: shows what the detector sees."""

import subprocess
import sys
from importlib.util import find_spec

import click


@click.group()
def drift() -> None:
    """Try the detection of drift."""


@drift.command()
def drill() -> None:
    """Make eight known changes in made traffic, and show what catches each: the signal, the time, the cause.

    The detector is the platform's own; nothing that runs is touched. It takes about a minute.
    """
    if find_spec("numpy") is None:
        raise click.ClickException("the drill runs the detector here: pip install 'quiver[local]'")
    sys.exit(subprocess.run([sys.executable, "-m", "serving.drift.drill"], check=False).returncode)
