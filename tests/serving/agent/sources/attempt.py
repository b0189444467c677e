"""One attempt that must fail, and what every failure must keep to."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from serving.agent.errors import AgentError, RefusedError, UnavailableError
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.policy import Policy

MAX_MESSAGE = 700


async def refused(policy: Policy, source: str, into: Path, credentials: Mapping[str, str] | None = None) -> AgentError:
    return await _failure(RefusedError, policy, source, into, credentials or {})


async def unavailable(
    policy: Policy, source: str, into: Path, credentials: Mapping[str, str] | None = None
) -> AgentError:
    return await _failure(UnavailableError, policy, source, into, credentials or {})


async def _failure(
    kind: type[AgentError], policy: Policy, source: str, into: Path, credentials: Mapping[str, str]
) -> AgentError:
    with pytest.raises(kind) as caught:
        await Fetcher(policy).fetch(source, into, credentials)
    message = caught.value.message
    assert len(message) <= MAX_MESSAGE
    assert message.isprintable()
    assert not [key for key, value in credentials.items() if len(value) > 5 and value.strip() in message]
    return caught.value
