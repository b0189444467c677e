"""A person at a browser, by pointer or by keyboard alone, whose clicks are counted.

A click is a press of the pointer, or of Enter or Space; choosing in a list and opening the choice of files are one
each. Typing and moving are none.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, expect

LIMIT_MS = 60_000
MOST_STEPS = 300  # presses of Tab


@dataclass(frozen=True)
class Manner:
    language: str
    width: int
    by_keyboard: bool = False
    theme: Literal["light", "dark"] = "light"

    def __str__(self) -> str:
        return f"{self.language} {self.width} px {'by keyboard' if self.by_keyboard else 'by pointer'}"


@dataclass
class Person:
    page: Page
    url: str
    manner: Manner
    clicks: int = 0
    violations: list[str] = field(default_factory=list)

    def sign_in(self, key: str) -> None:
        self.page.goto(f"{self.url}/sign-in")
        self.page.fill("#key", key)
        self.page.press("#key", "Enter")
        self.page.wait_for_url(re.compile(r"/(documents|platform)"))

    def start(self, path: str = "/") -> None:
        """From the first page, with no clicks yet."""
        self.page.goto(f"{self.url}{path}")
        self.clicks = 0

    def press(self, target: Locator) -> None:
        self.clicks += 1
        if not self.manner.by_keyboard:
            target.click()
            return
        self._reach(target)
        self.page.keyboard.press("Enter" if target.evaluate("each => each.tagName") != "INPUT" else "Space")

    def go(self, name: str) -> None:
        """By the main menu."""
        self.press(self.page.locator(f'nav a[href="/{name}"]'))
        self.page.wait_for_url(re.compile(f"/{name}"))

    def write(self, target: Locator, text: str) -> None:
        if self.manner.by_keyboard:
            self._reach(target)
            self.page.keyboard.insert_text(text)
        else:
            target.fill(text)

    def choose(self, target: Locator, value: str) -> None:
        """In a list."""
        self.clicks += 1
        if not self.manner.by_keyboard:
            target.select_option(value)
            return
        self._reach(target)
        for _ in range(MOST_STEPS):
            if target.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{value} is not in the list")

    def choose_files(self, target: Locator, files: Sequence[Path]) -> None:
        self.clicks += 1
        with self.page.expect_file_chooser() as chooser:
            if self.manner.by_keyboard:
                self._reach(target)
                self.page.keyboard.press("Enter")
            else:
                target.evaluate("each => (each.closest('label') ?? each).click()")
        chooser.value.set_files(files)

    def see(self, target: Locator) -> None:
        expect(target.first).to_be_visible(timeout=LIMIT_MS)

    def on_dialog(self, dialog: Dialog) -> None:
        """The console opens none: a script of somebody else's did."""
        self.violations.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def on_message(self, message: ConsoleMessage) -> None:
        if "CSP " in message.text:
            self.violations.append(message.text)

    def _reach(self, target: Locator) -> None:
        """By Tab, as a person without a pointer does."""
        self.see(target.locator("xpath=ancestor-or-self::*[not(self::input[@type='file'])][1]"))
        for _ in range(MOST_STEPS):
            if target.first.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached by Tab")


@contextmanager
def person(opened: Browser, url: str, manner: Manner, key: str) -> Iterator[Person]:
    """Signed in. Violations of the content security policy and errors of scripts are noted."""
    context = opened.new_context(
        viewport={"width": manner.width, "height": 800}, locale=manner.language, color_scheme=manner.theme
    )
    context.add_init_script(
        "document.addEventListener('securitypolicyviolation', (e) => console.error('CSP ' + e.violatedDirective))"
    )
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    someone = Person(page, url, manner)
    page.on("pageerror", lambda error: someone.violations.append(str(error)))
    page.on("dialog", someone.on_dialog)
    page.on("console", someone.on_message)
    try:
        someone.sign_in(key)
        yield someone
    finally:
        context.close()
