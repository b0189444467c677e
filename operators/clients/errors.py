"""A neighbour that did not answer as agreed: always worth another try."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from pydantic import ValidationError


class NeighbourError(Exception):
    pass


@contextmanager
def translated(neighbour: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
        raise NeighbourError(f"{neighbour}: {type(error).__name__}: {error}") from error
