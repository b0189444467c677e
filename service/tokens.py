"""Bearer tokens between services (pure)."""

import hashlib
import hmac

SEPARATOR = ","


class Tokens:
    """The accepted tokens of a service, from a comma-separated setting.

    While a token is replaced, the setting lists both: the service accepts both, its callers send the first. It also
    lists several tokens if each caller has its own.
    """

    def __init__(self, setting: str) -> None:
        """Raises ValueError if the setting names no token."""
        self._all = tuple(token.strip().encode() for token in setting.split(SEPARATOR) if token.strip())
        if not self._all:
            raise ValueError("no token is given")

    @property
    def digests(self) -> frozenset[str]:
        """The SHA-256 of each, in hexadecimal digits."""
        return frozenset(hashlib.sha256(token).hexdigest() for token in self._all)

    def accept(self, authorization: str) -> bool:
        """Checks an Authorization header. It is compared with every token, each in constant time."""
        scheme, _, given = authorization.partition(" ")
        matches = [hmac.compare_digest(given.encode(), token) for token in self._all]
        return scheme.lower() == "bearer" and any(matches)


def optional(setting: str) -> Tokens | None:
    """None for an empty setting."""
    return Tokens(setting) if setting else None


def all_of(setting: str) -> tuple[str, ...]:
    """All of a setting, the one that is sent first."""
    return tuple(token.strip() for token in setting.split(SEPARATOR) if token.strip())


def first(setting: str) -> str:
    """The token that a caller sends."""
    return setting.split(SEPARATOR)[0].strip()
