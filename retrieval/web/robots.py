"""The permissions in a host's robots.txt (RFC 9309)."""

import time
from dataclasses import dataclass

from protego import Protego

from retrieval.web.address import origin
from retrieval.web.client import AGENT, PageError, WebClient

KEPT_SECONDS = 24 * 3600.0
AWAY_SECONDS = 600.0  # after a failure of the server
MOST_BYTES = 500 * 1024  # of the file; the rest is ignored, as the standard allows
MOST_HOSTS = 1_000  # in memory
MOST_REDIRECTS = 5
LONGEST_DELAY_SECONDS = 30.0


@dataclass(frozen=True)
class Rules:
    """Without `parsed`, nothing is allowed for now; `fault` says why."""

    parsed: Protego | None
    until: float  # monotonic
    fault: str = ""

    def allows(self, address: str) -> bool:
        return self.parsed is not None and bool(self.parsed.can_fetch(address, AGENT))

    @property
    def delay_s(self) -> float:
        delay = self.parsed.crawl_delay(AGENT) if self.parsed else None
        return min(float(delay or 0), LONGEST_DELAY_SECONDS)


class Robots:
    """Remembers the rules of each host for a day."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._rules: dict[str, Rules] = {}

    async def rules(self, address: str) -> Rules:
        host = origin(address)
        rules = self._rules.get(host)
        if rules is None or rules.until < time.monotonic():
            rules = await self._read(f"{host}/robots.txt")
            self._rules.pop(host, None)
            self._rules[host] = rules
            if len(self._rules) > MOST_HOSTS:
                del self._rules[next(iter(self._rules))]
        return rules

    async def _read(self, address: str) -> Rules:
        """4xx: there are no rules. 5xx, or no answer: nothing is allowed until the server answers."""
        try:
            answer = await self._client.get(address, {})
            for _ in range(MOST_REDIRECTS):
                if answer.redirect is None:
                    break
                answer = await self._client.get(answer.redirect, {})
        except PageError as error:
            return Rules(None, time.monotonic() + AWAY_SECONDS, str(error))
        if answer.status >= 500:
            return Rules(None, time.monotonic() + AWAY_SECONDS, f"its server answered {answer.status} for robots.txt")
        text = answer.body[:MOST_BYTES].decode("utf-8", "replace") if answer.status == 200 else ""
        return Rules(Protego.parse(text), time.monotonic() + KEPT_SECONDS)
