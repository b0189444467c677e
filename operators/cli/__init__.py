"""`quiver`: runs a directory of objects, shows it, and makes keys."""

from importlib import import_module

import click

# Module and attribute of each command.
_COMMANDS = {
    "advise": ("advise", "advise"),
    "ask": ("asking", "ask"),
    "describe": ("reading", "describe"),
    "doctor": ("running", "examine"),
    "documents": ("documents", "documents"),
    "drift": ("drift", "drift"),
    "evaluate": ("evaluate", "evaluate"),
    "get": ("reading", "get"),
    "history": ("reading", "history"),
    "keys": ("keys", "keys"),
    "logs": ("reading", "logs"),
    "promote": ("deciding", "promote"),
    "rollback": ("deciding", "rollback"),
    "tenant": ("tenant", "tenant"),
    "top": ("top", "top"),
    "tune": ("tune", "tune"),
    "up": ("running", "up"),
}


class Commands(click.Group):
    """Only the module of the command that is asked for is imported: a rollback is urgent, and clients of HTTP take a
    quarter of a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"operators.cli.{module}"), attribute)
        return command


@click.group(cls=Commands)
@click.version_option(package_name="quiver")
def main() -> None:
    """One base model, many tenants: adapters swapped under load, documents with citations."""
