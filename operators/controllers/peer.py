"""What the controllers talk to beside the place where objects live: engines with their agents, and gateways (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """An engine with its agent, or a gateway: a pod, or processes of this machine."""

    name: str
    uid: str
    """Of this life of it: another one under the same name has another."""
    base: str
    """The base model's name, "" for a gateway."""
    url: str = ""
    """Where the engine answers requests; "" before it has an address."""
    control_url: str = ""
    """Where the agent, or the gateway, is asked for its state; "" before it has an address."""
    ready: bool = False
    """Whoever watches it says that it may take requests."""
    deleting: bool = False
    silent: bool = False
    """Whoever watches it says that it does not answer: what it reported last does not count."""
    trouble: str = ""
    """Why it does not start, and what to do."""
