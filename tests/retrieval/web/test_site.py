"""One look at a site: what is followed, what is left alone, what is refused."""

from collections.abc import AsyncIterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import InvalidRequestError
from retrieval.web.address import is_below, normalized, page_name
from retrieval.web.client import PageError, WebClient, connected
from retrieval.web.links import links
from retrieval.web.robots import Robots
from retrieval.web.site import Finding, KnownPage, Look, Site, looks
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
    known: Mapping[str, KnownPage] | None = None,
) -> dict[str, Look]:
    site = Site(server.url + path, depth, most)
    every = [look async for look in looks(site, known or {}, client, Robots(client))]
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
    assert list(await look_at(server, client, "/docs/sitemap.xml")) == ["/docs/0", "/docs/1", "/docs/2"]


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
    assert (await look_at(server, client, "/"))["/"].finding is Finding.FORBIDDEN
    assert [path for path, _ in server.asked] == ["/robots.txt"]


async def test_an_unchanged_page_is_not_sent_again_and_its_links_are_still_followed(
    server: Server, client: WebClient
) -> None:
    server.put("/", '<a href="/a">a</a>', etag='"1"')
    server.put("/a", "a")
    known = {f"{server.url}/": KnownPage('"1"', "", (f"{server.url}/a",))}
    found = await look_at(server, client, "/", depth=1, known=known)
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


async def test_a_redirect_to_a_private_address_is_not_followed(server: Server, client: WebClient) -> None:
    async with serving() as inside:
        server.put("/", status=302, location=f"{inside.url}/secret")

        def first_only(info: tuple[object, ...]) -> object:
            """As if only the first server were public."""
            import socket

            address = info[4]
            assert isinstance(address, tuple)
            if address[1] != int(server.url.rpartition(":")[2]):
                client._guard.refused = str(address[0])
                raise OSError("not public")
            return socket.socket(info[0], info[1], info[2])  # type: ignore[arg-type]

        client._session.connector._socket_factory = first_only  # type: ignore[union-attr]
        with pytest.raises(PageError, match="not public"):
            await client.get(f"{server.url}/", {})
        assert inside.asked == []


@pytest.mark.parametrize(
    "address",
    ["ftp://a/b", "file:///etc/passwd", "javascript:alert(1)", "http://", "//a/b", "http://user:word@a/", "http://a:x/",
     "", "http://a/" + "x" * 2_000, "http://[::1/"],
)  # fmt: skip
def test_what_is_no_page_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequestError):
        normalized(address)


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


@pytest.mark.parametrize("text", ["<a " * 100_000, "<a href=" * 50_000, "<!--" * 50_000, "<a href='" + "x" * 100_000])
def test_a_page_made_to_be_slow_is_read_at_once(text: str) -> None:
    assert len(links("http://a.example/", text)) <= 2_000


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
