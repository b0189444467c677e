"""Public and private addresses, and a guard that lets a client connect to public ones only."""

import socket
from ipaddress import ip_address, ip_network
from typing import Any

# Addresses that the standard library may call global, but nothing may be fetched from: a cloud provider's own services,
# IPv6 addresses embedding an IPv4 address (which is not checked), and site-local ones.
_REFUSED = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments; Oracle Cloud's metadata
        "168.63.129.16/32",  # Azure: the machine's own host
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "3fff::/20",
        "5f00::/16",
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


def is_public(address: str) -> bool:
    """`address` is numeric, as returned by a resolver. An invalid address is not public."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    refused = any(parsed in network for network in _REFUSED)
    return parsed.is_global and not parsed.is_multicast and not refused


def is_private_literal(host: str) -> bool:
    """True if a URL's host is a numeric address that is not public; False for a name."""
    try:
        address = str(ip_address(host.strip("[]")))
    except ValueError:
        return False
    return not is_public(address)


NOT_PUBLIC = "is not a public address"  # in the text of the error


class PrivateAddressError(OSError):
    pass


class AddressGuard:
    """Creates a session's sockets, and so checks the address that is really connected to: after name resolution, and
    for redirects too."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.refused: str | None = None

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._allow_private and not is_public(address[0]):
            self.refused = address[0]
            raise PrivateAddressError(f"{address[0]} {NOT_PUBLIC}")
        return socket.socket(family, kind, protocol)
