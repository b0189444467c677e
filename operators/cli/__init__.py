"""`quiver`: runs a directory of objects, shows it, and makes keys."""

import click

from operators.cli.advise import advise
from operators.cli.asking import ask
from operators.cli.deciding import promote, rollback
from operators.cli.documents import documents
from operators.cli.drift import drift
from operators.cli.evaluate import evaluate
from operators.cli.keys import keys
from operators.cli.reading import describe, get, history, logs
from operators.cli.running import examine, up
from operators.cli.tenant import tenant
from operators.cli.tune import tune


@click.group()
@click.version_option(package_name="quiver")
def main() -> None:
    """One base model, many tenants: adapters swapped under load, documents with citations."""


COMMANDS = (up, get, describe, logs, ask, documents, promote, rollback, history, examine, keys, tenant, tune, evaluate,
            advise, drift)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)
