"""C2: a price is edited in an uploaded page, and the next answer in the browser has the new one."""

import re
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.console.person import LIMIT_MS, Manner, person
from benchmarks.console.stage import Stage
from benchmarks.report import Bar

QUESTION = "What is the monthly price of the Quonda Gold plan?"
BAR_S = 5.0


def _page(dollars: int) -> str:
    return f"<html><h1>Plans</h1><p>The monthly price of the Quonda Gold plan is {dollars} dollars.</p></html>"


def bars(stage: Stage, browser: Browser, *, rounds: int) -> dict[str, Bar]:
    store = stage.store("acme", "prices")
    with tempfile.TemporaryDirectory() as folder, person(browser, stage.url, Manner("en", 1280), stage.key) as someone:
        file = Path(folder, "plans.html")
        page = someone.page
        seconds = []
        for number in range(rounds + 1):
            dollars = 11 + number
            file.write_text(_page(dollars))
            someone.start(f"/documents/{store}")
            begun = time.monotonic()
            page.set_input_files("#file", file)
            page.locator("[data-uploads] li", has_text=re.compile("plans.html: ready")).wait_for(timeout=LIMIT_MS)
            page.goto(f"{stage.url}/ask")
            page.fill("#question", QUESTION)
            page.press("#question", "Enter")
            page.locator(".answer .rating").wait_for(timeout=LIMIT_MS)
            if number:  # the first one is new, not edited
                said = page.locator(".answer .said").inner_text()
                seconds.append(time.monotonic() - begun if f"{dollars} dollars" in said else 99.0)
    return {"C2": Bar(max(seconds), BAR_S, "s", at_most=True)}
