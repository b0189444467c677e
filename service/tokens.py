"""Bearer tokens between services (pure)."""

import hmac

SEPARATOR = ","


class Tokens:
    """The accepted tokens of a service, from a setting separated by commas.

    Two tokens during a replacement: the service accepts both, its callers send the first. Two callers with a token each
    are two as well.
    """

    def __init__(self, setting: str) -> None:
        """Raises ValueError where none is given."""
        self._all = tuple(token.strip().encode() for token in setting.split(SEPARATOR) if token.strip())
        if not self._all:
            raise ValueError("no token is given")

    def accept(self, authorization: str) -> bool:
        """Checks an Authorization header. Comparing all tokens takes constant time."""
        scheme, _, given = authorization.partition(" ")
        matches = [hmac.compare_digest(given.encode(), token) for token in self._all]
        return scheme.lower() == "bearer" and any(matches)


def optional(setting: str) -> Tokens | None:
    """None for an empty setting."""
    return Tokens(setting) if setting else None


def first(setting: str) -> str:
    """The caller's token."""
    return setting.split(SEPARATOR)[0].strip()
