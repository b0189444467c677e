"""Errors for a service without an answer, or with an unexpected one. Retrying is always right."""

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
def peer_errors(service: str) -> Iterator[None]:
    """Turns aiohttp's errors into PeerError. Only an error answer or an invalid one is logged: a starting service is
    silent as a rule."""
    try:
        yield
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        raise PeerError(f"{service} does not answer: {type(error).__name__}") from error
    except (aiohttp.ClientError, ValidationError) as error:
        logger.warning("%s does not answer as agreed: %s", service, " ".join(str(error).split())[:300])
        raise PeerError(f"{service} does not answer as agreed") from error
