"""C3 and C7: every page by axe, in both themes and widths, and its picture."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from benchmarks.console.person import Manner, Person, person
from benchmarks.console.stage import Stage
from benchmarks.report import Bar

PICTURES = Path("build/console")
GRAVE = ("serious", "critical")
QUESTION = "What is the refund window of the Velmora Pro plan?"
_FILES = {
    "prices.md": b"# Prices\n\nThe monthly price of the Zefra plan is 21 dollars.",
    "broken.pdf": b"%PDF-1.7 and nothing else",
    "방침.txt": "환불 기간은 30일입니다.".encode(),
}
_MANNERS = (
    Manner("en", 1280),
    Manner("ko", 360, theme="dark"),
    Manner("en", 360),
    Manner("ko", 1280, theme="dark"),
)


def bars(stage: Stage, browser: Browser, notes: list[str]) -> dict[str, Bar]:
    """The faults of all pages, and whether each has a picture in both languages and widths."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    faults = wide = 0
    for manner in _MANNERS:
        for key, visits in ((stage.key, _tenant_pages), (stage.platform_key, _platform_pages)):
            with person(browser, stage.url, manner, key) as someone:
                for name in visits(someone, stage):
                    picture = PICTURES / f"{name}-{manner.language}-{manner.width}.png"
                    someone.page.screenshot(path=picture, full_page=True)
                    found = _faults(someone.page)
                    faults += len(found)
                    notes += [f"C3 {picture.stem}: {fault}" for fault in found]
                    if someone.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                        wide += 1
                        notes.append(f"C3 {picture.stem}: wider than the window")
                faults += len(someone.violations)
                notes += [f"C3 {manner}: {each}" for each in someone.violations]
    pictures = len(list(PICTURES.glob("*.png")))
    return {
        "C3": Bar(faults, 0, "faults", at_most=True),
        "C3-wide": Bar(wide, 0, "pages", at_most=True),
        "C7": Bar(pictures, len(_MANNERS) * len(NAMES), "pictures"),
    }


NAMES = ("sign-in", "documents", "document", "failed", "deletion", "ask", "answer", "golden", "adapters", "adapter",
         "training", "keys", "usage", "changes", "problem", "platform")  # fmt: skip


def _tenant_pages(someone: Person, stage: Stage) -> Iterator[str]:
    """Goes to each page, and yields its name there."""
    page, store = someone.page, _store(stage)
    yield from _visited(page, stage.url, [("documents", f"/documents/{store}")])
    page.locator("tbody th a").first.click()
    yield "document"
    page.goto(f"{stage.url}/documents/{store}?name=broken")
    yield "failed"
    yield from _visited(page, stage.url, [("deletion", f"/deletions/{_deletion(stage)}"), ("ask", "/ask")])
    page.fill("#question", QUESTION)
    page.select_option('[name="compare"]', "quiver-demo|none")
    page.press("#question", "Enter")
    page.locator(".rating").nth(1).wait_for()
    page.locator(".mark").first.click()
    for each in page.locator(".answer details summary").all():
        each.click()
    yield "answer"
    page.locator('.rating button[value="right"]').first.click()
    page.locator('.rating [role="status"]:not(:empty)').wait_for()
    yield from _visited(page, stage.url, [
        ("golden", "/golden"), ("adapters", "/adapters"), ("adapter", "/adapters/support"),
        ("training", "/training"), ("keys", "/keys"),
        ("usage", "/usage"), ("changes", "/changes"), ("problem", "/adapters/nobody"),
    ])  # fmt: skip
    page.locator('form[action="/sign-out"] button').click()
    page.wait_for_url("**/sign-in")
    yield "sign-in"


def _platform_pages(someone: Person, stage: Stage) -> Iterator[str]:
    yield from _visited(someone.page, stage.url, [("platform", "/platform")])


def _visited(page: Page, url: str, listed: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, path in listed:
        page.goto(f"{url}{path}")
        for each in page.locator("main details > summary").all():
            each.click()
        yield name


def _store(stage: Stage) -> str:
    """A collection with documents of all kinds: uploads, and one that fails."""
    with stage.client() as client:
        named = next((each for each in client.vector_stores.list() if each.name == "pictures"), None)
        if named:
            return named.id
        store = stage.store("acme", "pictures")
        for name, content in _FILES.items():
            client.vector_stores.files.upload_and_poll(vector_store_id=store, file=(name, content))
        gone = client.files.create(file=("old.txt", b"The fee is 5 dollars."), purpose="assistants")
        client.files.delete(gone.id)
        client.files.create(file=("examples.jsonl", b'{"prompt": "a", "completion": "b"}'), purpose="fine-tune")
        return store


def _deletion(stage: Stage) -> str:
    with stage.client() as client:
        listed = client.get("/deletions", cast_to=object)
    assert isinstance(listed, dict)
    return str(listed["data"][0]["id"])


def _faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in GRAVE]
