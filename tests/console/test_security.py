"""Where a sign-in may lead, whose forms are taken, and whose addresses are believed."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from console.security import POLICY, address, is_own, local

CONSOLE = "https://console.example/sign-in"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)",
                                    "/\t/evil.example", "/a\r\nset-cookie: x", "", "documents"])  # fmt: skip
def test_a_sign_in_leads_to_no_other_site(target: str) -> None:
    assert local(target) == "/"


@pytest.mark.parametrize("target", ["/", "/documents/vs_1?after=x&name=%EB%B0%A9", "/ask"])
def test_a_sign_in_leads_to_where_one_was(target: str) -> None:
    assert local(target) == target


@given(st.text(alphabet=st.sampled_from("/\\:@.?#a \t\n\r"), max_size=12) | st.text())
def test_no_address_leads_away(target: str) -> None:
    led = urlsplit(urljoin(CONSOLE, local(target)))
    assert (led.scheme, led.netloc) == ("https", "console.example")


@pytest.mark.parametrize(("headers", "own"), [
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "same-site"}, False),
    ({"sec-fetch-site": "cross-site", "origin": "https://console.example"}, False),
    ({"sec-fetch-site": "none"}, False),
    ({"origin": "https://console.example"}, True),
    ({"origin": "https://evil.example"}, False),
    ({"origin": "null"}, False),
    ({}, False),
])  # fmt: skip
def test_only_this_consoles_forms_are_taken(headers: dict[str, str], own: bool) -> None:
    assert is_own(Headers({"host": "console.example", **headers})) is own


def test_addresses_are_believed_from_our_proxies_alone() -> None:
    headers = Headers({"x-forwarded-for": "6.6.6.6, 9.9.9.9, 10.0.0.1"})
    assert [address(headers, "127.0.0.1", proxies) for proxies in (0, 1, 2)] == ["127.0.0.1", "10.0.0.1", "9.9.9.9"]
    assert address(Headers({}), "127.0.0.1", 1) == "127.0.0.1"


def test_the_policy_allows_no_inline_scripts() -> None:
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY
