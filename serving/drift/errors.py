"""Errors; each message names the remedy.

DriftError
├── SettingsError        the environment does not describe a service that can run
└── StateError           a tenant's file cannot be read, written or removed; a request gets 503
"""

from service.errors import UnavailableError


class DriftError(Exception):
    """The root of this package's errors."""


class SettingsError(DriftError):
    """The environment does not describe a runnable service."""


class StateError(DriftError, UnavailableError):
    """A tenant's file cannot be read, written or removed."""

    code = "state_unavailable"
