"""A service gave no answer, or an unexpected one. Retrying is always right."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from pydantic import ValidationError

logger = logging.getLogger(__name__)


ANSWER_S = 5.0  # for any answer on this machine or in this cluster, beyond the requested wait


def within(seconds: float = ANSWER_S) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)


class PeerError(Exception):
    pass


@contextmanager
def translated(neighbour: str) -> Iterator[None]:
    """Silence is a matter of course while a neighbour starts; a refusal or a strange answer is worth a word."""
    try:
        yield
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        raise PeerError(f"{neighbour} does not answer: {type(error).__name__}") from error
    except (aiohttp.ClientError, ValidationError) as error:
        logger.warning("%s does not answer as agreed: %s", neighbour, " ".join(str(error).split())[:300])
        raise PeerError(f"{neighbour} does not answer as agreed") from error
