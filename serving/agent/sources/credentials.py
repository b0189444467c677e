"""Credentials for a fetch, under fixed key names."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from serving.agent.errors import RefusedError


@dataclass(frozen=True)
class Credentials:
    """An empty value counts as absent. Values are stripped: secrets made from files end in a newline."""

    values: Mapping[str, str]

    def get(self, key: str) -> str:
        """A value for a header. Raises RefusedError if it is not printable."""
        value = self.values.get(key, "").strip()
        if not value.isprintable():
            raise RefusedError("CredentialInvalid", f"the value of {key} is not one printable line; correct the secret")
        return value

    def document(self, key: str) -> str:
        """A value of several lines."""
        return self.values.get(key, "").strip()

    @property
    def any(self) -> bool:
        return any(value.strip() for value in self.values.values())

    def given(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key for key in keys if self.values.get(key, "").strip())


def basic(user: str, password: str) -> str:
    """An Authorization value (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")
