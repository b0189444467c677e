"""One look at a site: what is followed, what is left alone, what is refused."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import InvalidRequestError
from retrieval.web.address import is_below, normalized, page_name
from retrieval.web.client import PageError, WebClient, connected
from retrieval.web.links import links, locations, wants_no_index
from retrieval.web.robots import Robots
from retrieval.web.site import EarlierPage, Finding, Look, Site, looks
from tests.retrieval.web.server import Server, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[WebClient]:
    async with connected(allow_private=True, most_bytes=100_000, delay_s=0) as made:
        yield made


async def look_at(
    server: Server,
    client: WebClient,
    path: str,
    depth: int = 0,
    most: int = 50,
    earlier: Mapping[str, EarlierPage] | None = None,
) -> dict[str, Look]:
    site = Site(server.url + path, depth, most)
    every = [look async for look in looks(site, earlier or {}, client, Robots(client))]
    return {look.address.removeprefix(server.url): look for look in every}


async def test_links_are_followed_within_the_directory_and_the_depth(server: Server, client: WebClient) -> None:
    server.put("/help/", '<a href="a.html">a</a> <a href="/other/">o</a> <a href="http://127.0.0.2/help/">h</a>')
    server.put(
        "/help/a.html", '<a href="b.html#part">b</a> <a href="b.html?utm_source=x">b</a> <a href="mailto:x@y">m</a>'
    )
    server.put("/help/b.html", '<a href="c.html">c</a>')
    server.put("/help/c.html", "too deep")
    assert list(await look_at(server, client, "/help/")) == ["/help/"]
    found = await look_at(server, client, "/help/", depth=2)
    assert list(found) == ["/help/", "/help/a.html", "/help/b.html"]
    assert {look.finding for look in found.values()} == {Finding.CONTENT}
    assert len(await look_at(server, client, "/help/", depth=5, most=2)) == 2


async def test_the_pages_of_a_sitemap_are_looked_at(server: Server, client: WebClient) -> None:
    listed = "".join(f"<url><loc>{server.url}/docs/{n}</loc></url>" for n in range(3))
    away = "<url><loc>http://elsewhere.example/x</loc></url>"
    server.put("/docs/sitemap.xml", f"<?xml version='1.0'?><urlset>{listed}{away}</urlset>", content_type="text/xml")
    for n in range(3):
        server.put(f"/docs/{n}", f"page {n}")
    found = await look_at(server, client, "/docs/sitemap.xml")
    assert list(found) == ["/docs/sitemap.xml", "/docs/0", "/docs/1", "/docs/2"]
    assert found["/docs/sitemap.xml"].finding is Finding.SITEMAP


async def test_robots_txt_is_obeyed(server: Server, client: WebClient) -> None:
    server.put("/robots.txt", "User-agent: *\nDisallow: /private/", content_type="text/plain")
    server.put("/", '<a href="/private/a">a</a> <a href="/open">o</a>')
    server.put("/open", "open")
    server.put("/private/a", "secret")
    found = await look_at(server, client, "/", depth=1)
    assert (found["/private/a"].finding, found["/open"].finding) == (Finding.FORBIDDEN, Finding.CONTENT)
    assert "/private/a" not in [path for path, _ in server.asked]


async def test_a_server_that_cannot_say_what_it_allows_is_left_alone(server: Server, client: WebClient) -> None:
    server.put("/robots.txt", status=503)
    server.put("/", "text")
    look = (await look_at(server, client, "/"))["/"]
    assert (look.finding, "503 for robots.txt" in look.message) == (Finding.FAILED, True)
    assert [path for path, _ in server.asked] == ["/robots.txt"]


async def test_an_unchanged_page_is_not_sent_again_and_its_links_are_still_followed(
    server: Server, client: WebClient
) -> None:
    server.put("/", '<a href="/a">a</a>', etag='"1"')
    server.put("/a", "a")
    earlier = {f"{server.url}/": EarlierPage('"1"', "", (f"{server.url}/a",))}
    found = await look_at(server, client, "/", depth=1, earlier=earlier)
    assert {path: look.finding for path, look in found.items()} == {"/": Finding.SAME, "/a": Finding.CONTENT}


async def test_what_is_gone_missing_or_not_read_is_told_apart(server: Server, client: WebClient) -> None:
    server.put("/", "home")
    server.put("/gone", status=410)
    server.put("/home", status=302, location="/")
    server.put("/moved", status=301, location="/new")
    server.put("/new", "new")
    server.put("/away", status=500)
    server.put("/loop", status=302, location="/loop")
    server.put("/large", "x" * 200_000)
    server.put("/image", "x", content_type="image/png")
    server.put("/noindex", '<meta name="robots" content="noindex">')
    expected = {
        "/gone": Finding.GONE, "/nothing": Finding.MISSING, "/home": Finding.MISSING, "/moved": Finding.CONTENT,
        "/away": Finding.FAILED, "/loop": Finding.FAILED, "/large": Finding.FAILED, "/image": Finding.FAILED,
        "/noindex": Finding.FORBIDDEN,
    }  # fmt: skip
    for path, finding in expected.items():
        look = (await look_at(server, client, path))[path]
        assert look.finding is finding, path
        assert look.message or look.answer, path


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "2130706433", "0x7f000001", "017700000001", "127.1",
     "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "192.168.1.1", "[fe80::1]", "[fc00::1]", "100.64.0.1"],
)  # fmt: skip
async def test_no_private_address_is_connected_to_in_any_spelling(server: Server, host: str) -> None:
    port = server.url.rpartition(":")[2]
    server.put("/robots.txt", "")
    async with connected(allow_private=False, most_bytes=1_000, delay_s=0) as client:
        with pytest.raises(PageError):
            await client.get(f"http://{host}:{port}/", {})
    assert server.asked == []


async def test_a_redirect_to_a_private_address_is_not_followed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if only the first server's address were public."""
    monkeypatch.setattr("service.public_addresses.is_public", lambda address: address == "127.0.0.1")
    async with serving("127.0.0.2") as inside, connected(allow_private=False, most_bytes=9_999, delay_s=0) as client:
        server.put("/", status=302, location=f"{inside.url}/secret")
        look = (await look_at(server, client, "/"))["/"]
        assert (look.finding, "127.0.0.2 is not a public address" in look.message) == (Finding.FAILED, True)
        assert inside.asked == []


async def test_the_site_may_have_moved_as_a_whole_and_a_page_that_moves_is_another_page(
    server: Server, client: WebClient
) -> None:
    async with serving("127.0.0.2") as new:
        server.put("/", status=301, location=f"{new.url}/")
        new.put("/", '<a href="a">a</a> <a href="old">o</a> <a href="login">l</a>')
        new.put("/a", "a")
        new.put("/old", status=301, location="/new")
        new.put("/new", "new")
        new.put("/login", status=302, location=f"{server.url}/elsewhere")
        site = Site(f"{server.url}/", 1, 50)
        found = {look.address: look.finding async for look in looks(site, {}, client, Robots(client))}
    assert found == {
        f"{server.url}/": Finding.CONTENT,
        f"{new.url}/a": Finding.CONTENT,
        f"{new.url}/old": Finding.MISSING,
        f"{new.url}/new": Finding.CONTENT,
        f"{new.url}/login": Finding.MISSING,
    }


async def test_the_rules_of_a_redirects_target_are_asked(server: Server, client: WebClient) -> None:
    async with serving("127.0.0.2") as other:
        other.put("/robots.txt", "User-agent: *\nDisallow: /", content_type="text/plain")
        other.put("/page", "text")
        server.put("/", status=302, location=f"{other.url}/page")
        assert (await look_at(server, client, "/"))["/"].finding is Finding.FORBIDDEN
        assert [path for path, _ in other.asked] == ["/robots.txt"]


async def test_a_look_ends_whatever_a_site_lists(server: Server, client: WebClient) -> None:
    listed = "".join(f"<url><loc>{server.url}/nothing/{n}</loc></url>" for n in range(500))
    server.put("/sitemap.xml", f"<urlset>{listed}</urlset>", content_type="text/xml")
    await look_at(server, client, "/sitemap.xml", most=5)
    assert len(server.asked) <= 3 * 5 + 20 + 1


async def test_earlier_pages_over_the_limit_are_left_out(server: Server, client: WebClient) -> None:
    server.put("/", '<a href="/a">a</a>')
    server.put("/a", "a")
    earlier = {f"{server.url}/old{n}": EarlierPage() for n in range(3)}
    found = await look_at(server, client, "/", depth=1, most=2, earlier=earlier)
    assert [path for path, look in found.items() if look.finding is Finding.LEFT_OUT] == ["/old0", "/old1", "/old2"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ('<meta content="noindex" name="ROBOTS">', {}),
        ('<meta name=robots content="none, nofollow">', {}),
        ("text", {"x_robots_tag": "noindex"}),
    ],
)
async def test_a_page_that_asks_not_to_be_indexed_is_not(
    server: Server, client: WebClient, body: str, headers: dict[str, Any]
) -> None:
    server.put("/", body, **headers)
    assert (await look_at(server, client, "/"))["/"].finding is Finding.FORBIDDEN
    server.put("/", f"<!-- {body} -->", content_type="text/html")
    assert (await look_at(server, client, "/"))["/"].finding is Finding.CONTENT


@pytest.mark.parametrize(
    "address",
    ["ftp://a/b", "file:///etc/passwd", "javascript:alert(1)", "http://", "//a/b", "http://user:word@a/", "http://a:x/",
     "", "http://a/" + "x" * 2_000, "http://[::1/"],
)  # fmt: skip
def test_what_is_no_page_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequestError):
        normalized(address)


@pytest.mark.parametrize(
    ("given_", "spelled"),
    [
        ("http://A.example:80/x", "http://a.example/x"),
        ("http://a.example/%b0%a1?q=%B0%A1", "http://a.example/%B0%A1?q=%B0%A1"),
        ("http://a.example/a%2Fb", "http://a.example/a%2Fb"),
        ("http://a.example/?topic/12", "http://a.example/?topic/12"),
        ("http://a.example/help/../admin", "http://a.example/admin"),
        ("http://a.example/help/%2e%2e/admin", "http://a.example/admin"),
        ("http://a.example/a/./b/", "http://a.example/a/b/"),
        ("http://한국.kr/요금", "http://xn--3e0b707e.kr/%EC%9A%94%EA%B8%88"),
        ("http://a.example/x?utm_source=y&b=1&gclid=z", "http://a.example/x?b=1"),
    ],
)
def test_an_address_keeps_its_meaning(given_: str, spelled: str) -> None:
    assert normalized(given_) == spelled


@given(st.text(alphabet="abAB/.%?#&=-:2é ", max_size=40))
def test_an_address_has_one_spelling(path: str) -> None:
    try:
        once = normalized("http://Host.example/" + path)
    except InvalidRequestError:
        return
    assert normalized(once) == once
    assert "#" not in once


def test_names_of_pages_are_read_by_people_and_parsers() -> None:
    assert page_name("https://a.example/help/prices", "text/html") == "a.example/help/prices.html"
    assert page_name("https://a.example/", "text/html") == "a.example/index.html"
    assert page_name("https://a.example/a.pdf", "application/pdf") == "a.example/a.pdf"
    assert page_name("https://a.example/x?p=1", "text/html") != page_name("https://a.example/x?p=2", "text/html")
    assert page_name("https://a.example/" + "y" * 400, "text/html").endswith(".html")


def test_only_the_same_host_and_directory_is_below() -> None:
    root = "https://a.example/help/index.html"
    assert is_below(root, "https://a.example/help/x/y")
    for other in (
        "https://a.example/helpless",
        "https://b.example/help/x",
        "http://a.example/help/x",
        "https://a.example/",
    ):
        assert not is_below(root, other)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["<a " * 1_000_000, "<a href=" * 500_000, "<!--" * 1_000_000, "<a href='" + "x" * 4_000_000, "<meta " * 800_000,
     "<urlset><loc>" + " " * 4_000_000, "<urlset>" + "<loc>x</loc>" * 300_000, '<a href="x">' * 300_000],
)  # fmt: skip
def test_a_page_made_to_be_slow_is_read_in_seconds(text: str) -> None:
    assert len(links("http://a.example/", text)) <= 1_000
    assert len(list(locations("http://a.example/", text))) <= 5_000
    assert not wants_no_index(text, "")


def test_links_are_read_as_browsers_do() -> None:
    text = (
        '<base href="/docs/"><!-- <a href="no">x</a> --><A class=x HREF=one>1</A><a\nhref = \'two&amp;b=1\'>2</a>'
        '<a name="none">n</a><a href="javascript:x()">j</a><a href="//b.example/x">b</a>'
    )
    assert links("http://a.example/x", text) == [
        "http://a.example/docs/one",
        "http://a.example/docs/two&b=1",
        "http://b.example/x",
    ]
    assert links("http://a.example/", '<meta name="robots" content="nofollow"><a href="x">x</a>') == []
