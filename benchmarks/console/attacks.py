"""C4: attacks. Each success is counted."""

import http.client
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser

from benchmarks.console.person import Manner, person
from benchmarks.console.stage import Stage
from benchmarks.report import Bar

HOSTILE = "<img src=x onerror=alert(1)>'\"--{{7*7}}.txt"
SCRIPT = b"<script>alert(2)</script> The fee of the <b onmouseover=alert(3)>Zefra</b> plan is 5 dollars."
COOKIE = "__Host-session"
Attack = Callable[[Stage], list[str]]


class Client:
    """Plain HTTP, as a program sends it that is no browser."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80

    def ask(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: str | None = None,
        session: str = "",
        **headers: str,
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if session:
            sent["cookie"] = f"{COOKIE}={session}"
        if form is not None:
            body, sent["content-type"] = urlencode(form), "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def sign_in(self, key: str, **more: str) -> tuple[int, str, str]:
        """The status, the session, and where to."""
        status, headers, _ = self.ask("POST", "/sign-in", form={"key": key, **more}, sec_fetch_site="same-origin")
        session = headers.get("set-cookie", "").partition(f"{COOKIE}=")[2].partition(";")[0]
        return status, session, headers.get("location", "")


def bars(stage: Stage, browser: Browser, notes: list[str]) -> dict[str, Bar]:
    found = [*scripts(stage, browser), *forgeries(stage), *redirects(stage), *sessions(stage), *foreign(stage),
             *headers(stage), *guesses(stage)]  # fmt: skip
    notes += [f"C4 {each}" for each in found]
    return {"C4": Bar(len(found), 0, "successes", at_most=True)}


def scripts(stage: Stage, browser: Browser) -> list[str]:
    """Markup in names, documents, questions, and addresses, on every page that shows them."""
    store = stage.store("acme", HOSTILE)
    with stage.client() as client:
        file = client.vector_stores.files.upload_and_poll(vector_store_id=store, file=(HOSTILE, SCRIPT))
    with person(browser, stage.url, Manner("en", 1280), stage.key) as someone:
        page = someone.page
        for path in (f"/documents/{store}", f"/documents/{store}/{file.id}", f"/documents/{store}?name={HOSTILE}",
                     "/changes", "/golden", f"/adapters/{HOSTILE}", "/?done=<script>alert(4)</script>"):  # fmt: skip
            page.goto(f"{stage.url}{path}")
        page.goto(f"{stage.url}/ask")
        page.fill("#question", f"What is the fee of the Zefra plan? {HOSTILE}")
        page.press("#question", "Enter")
        page.locator(".answer .rating").wait_for()
        page.locator(".why summary").click()
        page.locator('.rating button[value="right"]').click()
        page.locator('.rating [role="status"]:not(:empty)').wait_for()
        page.goto(f"{stage.url}/golden")
        page.wait_for_timeout(500)
        injected = page.locator("img[src=x], main script, b[onmouseover]").count()
        return [*someone.violations, *(["markup became elements"] if injected else [])]


def forgeries(stage: Stage) -> list[str]:
    """Forms of another site's page, with the person's cookie."""
    client = Client(stage.url)
    _, session, _ = client.sign_in(stage.key)
    name = f"forged-{secrets.token_hex(4)}"
    forged = {"name": name, "scopes": "inference"}
    origins: list[dict[str, str]] = [
        {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"sec_fetch_site": "none"},
        {"origin": "https://evil.example"}, {"origin": "null"}, {},
    ]  # fmt: skip
    passed = [str(each) for each in origins
              if client.ask("POST", "/keys", form=forged, session=session, **each)[0] != 403]  # fmt: skip
    return [f"a forged form passed: {each}" for each in passed]


def redirects(stage: Stage) -> list[str]:
    client = Client(stage.url)
    targets = ("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/%0d%0aX: y",
               "javascript:alert(1)", "/\t/evil.example", " //evil.example", "///evil.example")  # fmt: skip
    went = [(target, client.sign_in(stage.key, next=target)[2]) for target in targets]
    return [f"{target!r} led to {to!r}" for target, to in went if not to.startswith("/") or to[1:2] in ("/", "\\")]


def sessions(stage: Stage) -> list[str]:
    """Fixed, guessed and closed sessions; the cookie's flags."""
    client, found = Client(stage.url), []
    fixed = "qvs-" + "0" * 64
    _, headers, _ = client.ask("POST", "/sign-in", form={"key": stage.key}, session=fixed, sec_fetch_site="same-origin")
    cookie = headers.get("set-cookie", "")
    if fixed in cookie:
        found.append("a session that was there before the sign-in stays")
    if client.ask("GET", "/keys", session=fixed)[0] != 303:
        found.append("an invented session is let in")
    if not all(flag in cookie.lower() for flag in ("httponly", "secure", "samesite=lax", "path=/")):
        found.append(f"the cookie lacks a flag: {cookie.partition(';')[2]}")
    _, session, _ = client.sign_in(stage.key)
    client.ask("POST", "/sign-out", session=session, sec_fetch_site="same-origin")
    if client.ask("GET", "/keys", session=session)[0] != 303:
        found.append("a session goes on after the sign-out")
    return found


def foreign(stage: Stage) -> list[str]:
    """Another tenant's ids on every route."""
    with stage.client("globex") as owner:
        store = owner.vector_stores.create(name="secret").id
        file = owner.vector_stores.files.upload_and_poll(vector_store_id=store, file=("s.txt", b"The fee is 3.")).id
        gone = owner.files.create(file=("g.txt", b"gone"), purpose="assistants")
        owner.files.delete(gone.id)
        listed = owner.get("/deletions", cast_to=object)
        assert isinstance(listed, dict)
        deletion = listed["data"][0]["id"]
    client = Client(stage.url)
    _, session, _ = client.sign_in(stage.key)
    asked = [
        ("GET", f"/documents/{store}"), ("GET", f"/documents/{store}/list"), ("GET", f"/documents/{store}/{file}"),
        ("GET", f"/documents/{store}/{file}/state"), ("GET", f"/documents/{store}/{file}/content"),
        ("POST", f"/documents/{store}/{file}/delete"), ("POST", f"/web/{store}/ws_1/look"),
        ("POST", f"/web/{store}/ws_1/remove"), ("GET", f"/deletions/{deletion}"), ("GET", "/adapters/desk"),
        ("POST", "/adapters/desk/promote"), ("POST", "/adapters/desk/rollback"), ("POST", "/keys/demo-globex/revoke"),
        ("POST", "/golden/0000/remove"),
    ]  # fmt: skip
    answers = {f"{method} {path}": client.ask(method, path, form={} if method == "POST" else None, session=session,
                                              sec_fetch_site="same-origin")[0] for method, path in asked}  # fmt: skip
    return [f"{what} is answered with {status}" for what, status in answers.items() if status != 404]


def headers(stage: Stage) -> list[str]:
    _, headers, _ = Client(stage.url).ask("GET", "/sign-in")
    policy = headers.get("content-security-policy", "")
    script = next((part for part in policy.split(";") if part.strip().startswith("script-src")), "")
    rules: Mapping[str, Callable[[], bool]] = {
        "scripts may be inline or evaluated": lambda: "unsafe" in script or "'self'" not in script,
        "the pages may be framed": lambda: "frame-ancestors 'none'" not in policy,
        "pages may be kept in caches": lambda: headers.get("cache-control") != "no-store",
    }
    return [name for name, is_broken in rules.items() if is_broken()]


def guesses(stage: Stage) -> list[str]:
    """Keys are guessed at the sign-in: after five, an address has to wait."""
    client = Client(stage.url)
    statuses = [client.sign_in(f"qv-acme-{secrets.token_hex(32)}")[0] for _ in range(8)]
    return [] if statuses[-1] == 429 and 303 not in statuses else [f"keys can be guessed: {statuses}"]
