"""Sign-in by Dex, a real provider: its form, its groups, its keys. `make dex` builds it."""

import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import bcrypt
import pytest
import yaml

from operators.local.layout import free_port
from tests.console.oidc_provider import CLIENT, SECRET
from tests.console.running import Browser, address, console_with

DEX = Path(__file__).parents[2] / "build" / "dex" / "dex"
PASSWORD = "correct horse"
PEOPLE = {
    "mina@acme.example": ["staff", "quiver:acme:editor"],
    "both@acme.example": ["quiver:acme:admin", "quiver:globex:admin"],
    "nobody@acme.example": ["staff"],
}

pytestmark = pytest.mark.skipif(not DEX.exists(), reason="Dex is not built: make dex")


@contextmanager
def _dex(root: Path, console: str) -> Iterator[str]:
    """Its issuer."""
    issuer = f"http://127.0.0.1:{free_port()}/dex"
    password = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    configuration = {
        "issuer": issuer,
        "storage": {"type": "memory"},
        "web": {"http": issuer.removeprefix("http://").removesuffix("/dex")},
        "oauth2": {"skipApprovalScreen": True},
        "enablePasswordDB": True,
        "staticClients": [
            {"id": CLIENT, "secret": SECRET, "name": "Quiver", "redirectURIs": [f"{console}/sign-in/return"]}
        ],
        "staticPasswords": [
            {"email": email, "hash": password, "username": email, "userID": email, "groups": groups}
            for email, groups in PEOPLE.items()
        ],
    }
    file = root / "dex.yaml"
    file.write_text(yaml.safe_dump(configuration))
    process = subprocess.Popen([DEX, "serve", file], cwd=DEX.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr
        assert any(b"listening on" in line for line in process.stderr), "Dex has ended"
        yield issuer
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    console = socket.create_server(("127.0.0.1", 0))
    with _dex(tmp_path, address(console)) as issuer:
        async with console_with(issuer, tmp_path, console, oidc_scopes="openid email profile groups") as opened:
            yield opened


async def _signed_in(browser: Browser, email: str) -> tuple[int, str, str]:
    """The console's answer to a person who has filled in Dex's form."""
    _, there, _ = await browser.get("/sign-in/provider?next=/adapters")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(there) as page:
            action = re.search(r'<form[^>]*action="([^"]+)"', await page.text())
            assert action, await page.text()
            form = urljoin(str(page.url), unescape(action[1]))
        where = form
        data: dict[str, str] | None = {"login": email, "password": PASSWORD}
        while not where.startswith(browser.url):
            method = "POST" if data else "GET"
            async with http.request(method, where, data=data, allow_redirects=False) as answer:
                assert answer.status in (302, 303), await answer.text()
                where, data = urljoin(where, answer.headers["location"]), None
    return await browser.get(where)


async def test_the_groups_of_a_person_decide_the_role(browser: Browser) -> None:
    status, where, _ = await _signed_in(browser, "mina@acme.example")
    assert (status, where) == (303, "/adapters")
    status, _, text = await browser.get("/adapters")
    assert (status, "acme" in text) == (200, True)
    assert (await browser.post("/keys", {"name": "x", "scopes": "inference"}))[0] == 403


@pytest.mark.parametrize(
    ("email", "reason"), [("both@acme.example", "several tenants"), ("nobody@acme.example", "no role")]
)
async def test_who_belongs_to_no_one_tenant_is_told_why(browser: Browser, email: str, reason: str) -> None:
    status, _, text = await _signed_in(browser, email)
    assert (status, reason in text) == (403, True)
    assert "__Host-session" not in browser.cookies
