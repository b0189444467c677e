from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.public_addresses import is_public

PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "2001::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)


@st.composite
def _private(draw: st.DrawFn) -> str:
    network = ip_network(draw(st.sampled_from(PRIVATE)))
    return str(network[draw(st.integers(0, network.num_addresses - 1))])


@given(_private())
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_inside_an_ipv6_one_is_never_public(number: int) -> None:
    inner = IPv4Address(number)
    for prefix in ("::ffff:", "64:ff9b::", "::"):
        assert not is_public(f"{prefix}{inner}")


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450::1"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"]
)
def test_no_cloud_s_metadata_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["", "localhost", "1.1.1.1.1", "fe80::1%lo", "0x7f000001"])
def test_what_is_no_address_is_not_public(address: str) -> None:
    assert not is_public(address)
