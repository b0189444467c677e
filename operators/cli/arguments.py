"""Arguments of commands: directories, clusters, adapters, names."""

from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from contract.resource import Key
from contract.value import Name

DEFAULT_PORT = 8080
# The word given in place of a directory: kubectl's current cluster.
CLUSTER = "cluster"


class NameType(click.ParamType[str]):
    """A valid name of an object."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return TypeAdapter(Name).validate_python(value)
        except ValidationError:
            rule = "write lower-case letters, digits and hyphens, 63 at most, with no hyphen at either end"
            self.fail(f"{value!r} is not a valid name; {rule}", param, ctx)


class AdapterType(click.ParamType[Key]):
    """An adapter, by its namespace and its name."""

    name = "namespace/name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Key:
        namespace, slash, name = value.partition("/")
        if not (namespace and slash and name):
            self.fail(f"{value!r} is not an adapter's name; write namespace/name", param, ctx)
        return Key(kind="Adapter", namespace=namespace, name=name)


class PlaceType(click.ParamType[Path | None]):
    """A directory of objects, or kubectl's current cluster."""

    name = "DIR|cluster"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Path | None:
        return None if value == CLUSTER else Path(path.convert(value, param, ctx))


path = click.Path(exists=True, file_okay=False, path_type=Path)
directory_argument = click.argument("root", metavar="DIR", type=path)
place_argument = click.argument("root", metavar="DIR|cluster", type=PlaceType())
adapter_argument = click.argument("adapter", metavar="ADAPTER", type=AdapterType())
port_option = click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True,
                     help="The gateway's port on 127.0.0.1.")  # fmt: skip
