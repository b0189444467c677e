"""Remote parts followed by the controllers: engines with their agents, and gateways (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """An engine with its agent, or a gateway: a pod, or processes of this machine."""

    name: str
    uid: str
    """Identifies this incarnation: a restarted peer of the same name has another uid."""
    base: str
    """The base model's name, "" for a gateway."""
    url: str = ""
    """The engine's address for requests; "" before it has one."""
    control_url: str = ""
    """The control address of the agent or gateway; "" before it has one."""
    ready: bool = False
    """Its supervisor (kubelet or runner) reports it ready for requests."""
    deleting: bool = False
    silent: bool = False
    """Its supervisor reports that it does not answer, so its last report does not count."""
    trouble: str = ""
    """Why it does not start, with a remedy; "" if nothing is wrong."""
