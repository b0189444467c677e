"""C1: fourteen tasks of people at the console. Each begins at the first page, and is done when the page shows it."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import Locator, Page

from benchmarks.console.person import Person
from benchmarks.console.stage import Stage
from tests.retrieval.ingest.files import pdf

QUESTION = "What is the refund window of the Velmora Basic plan?"
MOST_CLICKS = 3
BROKEN = "broken.pdf"
REFUSED = "broken-adapter"


class Tasks:
    """`folder` holds the files that people choose; `store` is the collection that they are in."""

    def __init__(self, stage: Stage, person: Person, folder: Path, store: str) -> None:
        self.stage, self.person, self.folder, self.store = stage, person, folder, store

    @property
    def all(self) -> Mapping[str, Callable[[], None]]:
        return {
            "add a PDF": self.add_pdf,
            "add a web page": self.add_web_page,
            "add ten files": self.add_ten,
            "replace": self.replace,
            "delete with proof": self.delete,
            "see why one failed": self.see_failure,
            "ask, open the cited passage": self.ask,
            "see why": self.see_why,
            "compare": self.compare,
            "keep in the golden set": self.rate,
            "roll back": self.roll_back,
            "promote a canary": self.promote,
            "make and revoke a key": self.make_key,
            "see usage": self.see_usage,
        }

    # Documents ------------------------------------------------------------------------------------------------------

    def add_pdf(self) -> None:
        name = self._file("price", ".pdf", pdf(["The monthly price of the Zefra plan is 21 dollars."]))
        self._documents()
        self._upload([name])

    def add_web_page(self) -> None:
        address = f"https://example.com/{secrets.token_hex(4)}"
        self._documents()
        self.person.write(self.person.page.locator("#url"), address)
        self.person.press(self.person.page.locator(f'form[action="/web/{self.store}"] button'))
        self.person.see(self.person.page.locator(".list li", has_text=address))

    def add_ten(self) -> None:
        files = [self._text(f"ten-{number}", f"The fee of plan {number} is {number} dollars.") for number in range(10)]
        self._documents()
        self._upload(files)

    def replace(self) -> None:
        old, new = self._text("old", "The fee is 7 dollars."), self._text("new", "The fee is 8 dollars.")
        self._prepared(old)
        row = self._row(old.name)
        self.person.choose_files(row.locator('input[type="file"]'), [new])
        self.person.see(self._row(new.name).locator(".completed"))
        self._row(old.name).wait_for(state="detached")

    def delete(self) -> None:
        file = self._text("gone", "The fee is 9 dollars.")
        self._prepared(file)
        row = self._row(file.name)
        self.person.press(row.locator("summary"))
        self.person.press(row.locator("form button.danger"))
        self.person.see(self.person.page.locator(".notice"))
        self.person.see(self.person.page.locator("pre", has_text="findings"))

    def see_failure(self) -> None:
        self._documents()
        self.person.press(self.person.page.locator(".chip.failed"))
        self.person.page.wait_for_url("**state=failed**")
        self.person.see(self._row(BROKEN).locator(".reason"))

    # Answers --------------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        self._ask()
        self.person.press(self.person.page.locator(".mark").first)
        self.person.see(self.person.page.locator(".passage.shown", has_text="30 days"))

    def see_why(self) -> None:
        self._ask()
        self.person.press(self.person.page.locator(".why summary"))
        self.person.see(self.person.page.locator(".considered li").nth(2))

    def compare(self) -> None:
        page = self._ask_page()
        self.person.choose(page.locator('[name="compare"]'), "quiver-demo|none")
        self.person.press(page.locator("form[data-ask] button.primary"))
        self.person.see(page.locator(".columns .rating").nth(1))

    def rate(self) -> None:
        self._ask()
        self.person.press(self.person.page.locator('.rating button[value="right"]'))
        self.person.see(self.person.page.locator('.rating [role="status"]:not(:empty)'))

    # Releases and keys ----------------------------------------------------------------------------------------------

    def roll_back(self) -> None:
        self.stage.new_version("release", canary=False)
        before = self.stage.status("release")["active"]["digest"]
        self.person.start()
        self.person.go("adapters")
        card = self.person.page.locator(".card", has=self.person.page.locator('a[href="/adapters/release"]'))
        self.person.press(card.locator('form[action$="rollback"] button').first)
        self.person.see(self.person.page.locator(".notice"))
        assert self.stage.status("release")["active"]["digest"] != before

    def promote(self) -> None:
        self.stage.new_version("trial", canary=True)
        digest = self.stage.status("trial")["canary"]["digest"]
        self.person.start()
        self.person.go("adapters")
        self.person.press(self.person.page.locator('form[action="/adapters/trial/promote"] button'))
        self.person.see(self.person.page.locator(".notice"))
        assert self.stage.status("trial")["active"]["digest"] == digest

    def make_key(self) -> None:
        name = f"key-{secrets.token_hex(4)}"
        self.person.start()
        self.person.go("keys")
        self.person.write(self.person.page.locator('form[action="/keys"] [name="name"]'), name)
        self.person.press(self.person.page.locator('form[action="/keys"] button.primary'))
        self.person.see(self.person.page.locator("pre", has_text="qv-acme-"))
        self.person.press(self.person.page.locator(f'form[action="/keys/{name}/revoke"] button').first)
        self.person.see(self.person.page.locator(".notice"))
        assert self.person.page.locator("tr", has_text=name).count() == 0

    def see_usage(self) -> None:
        self.person.start()
        self.person.go("usage")
        self.person.see(self.person.page.locator("meter"))

    # ----------------------------------------------------------------------------------------------------------------

    def _documents(self) -> None:
        self.person.start(f"/documents/{self.store}")

    def _prepared(self, file: Path) -> None:
        """With the file in the collection."""
        with self.stage.client() as client:
            client.vector_stores.files.upload_and_poll(vector_store_id=self.store, file=file)
        self._documents()
        self.person.see(self._row(file.name))

    def _upload(self, files: list[Path]) -> None:
        self.person.choose_files(self.person.page.locator("#file"), files)
        for file in files:
            self.person.see(self._row(file.name).locator(".completed"))

    def _row(self, name: str) -> Locator:
        page = self.person.page
        return page.locator("tr", has=page.get_by_role("link", name=name, exact=True))

    def _ask_page(self) -> Page:
        self.person.start()
        self.person.go("ask")
        self.person.write(self.person.page.locator("#question"), QUESTION)
        return self.person.page

    def _ask(self) -> None:
        page = self._ask_page()
        self.person.press(page.locator("form[data-ask] button.primary"))
        self.person.see(page.locator(".answer .rating"))

    def _text(self, name: str, text: str) -> Path:
        return self._file(name, ".txt", text.encode())

    def _file(self, name: str, suffix: str, content: bytes) -> Path:
        path = self.folder / f"{name}-{secrets.token_hex(4)}{suffix}"
        path.write_bytes(content)
        return path


def see_platform(person: Person) -> None:
    """The platform's person is there after the sign-in."""
    person.start()
    person.see(person.page.locator("tr", has_text=REFUSED).locator("td b"))


def prepare(stage: Stage, folder: Path, store: str) -> None:
    """A document that fails, adapters with versions to go back to, and one that is refused."""
    broken = folder / BROKEN
    broken.write_bytes(b"%PDF-1.7 and nothing else")
    with stage.client() as client:
        client.vector_stores.files.upload_and_poll(vector_store_id=store, file=broken)
    for name in ("release", "trial"):
        stage.new_version(name, canary=False)
    stage.refused_adapter(REFUSED)
