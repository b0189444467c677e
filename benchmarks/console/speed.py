"""C6: how soon pages are there, and what the console takes at rest."""

import time
from concurrent.futures import ThreadPoolExecutor

import openai
import psutil
from playwright.sync_api import Browser, Page, Response

from benchmarks.console.person import Manner, person
from benchmarks.console.stage import Stage
from benchmarks.report import Bar

IN_BATCH = 2_000
REST_S = 20.0
VIEWS = 5


def bars(stage: Stage, browser: Browser, *, documents: int) -> dict[str, Bar]:
    console = stage.platform.part("console")
    rest, memory = _rest(console)
    first, weight = _first_view(stage, browser)
    return {
        "C6": Bar(first, 1.0, "s", at_most=True),
        "C6-weight": Bar(weight, 100.0, "KB", at_most=True),
        "C6-list": Bar(_listed(stage, browser, documents), 1.0, "s", at_most=True),
        "C6-rest": Bar(rest, 1.0, "% core", at_most=True),
        "C6-memory": Bar(memory, 150.0, "MB", at_most=True),
    }


def _rest(console: psutil.Process) -> tuple[float, float]:
    """The share of a core, in percent, and the memory."""
    before = console.cpu_times()
    time.sleep(REST_S)
    after = console.cpu_times()
    used = after.user + after.system - before.user - before.system
    return 100 * used / REST_S, console.memory_info().rss / 1e6


def _first_view(stage: Stage, browser: Browser) -> tuple[float, float]:
    """The slowest first view with an empty cache, in seconds until it is loaded; and its bytes, in KB."""
    seconds, weights = [], []
    for _ in range(VIEWS):
        with person(browser, stage.url, Manner("en", 1280), stage.key) as someone:
            context = someone.page.context
            cookies = context.cookies()
            fresh = browser.new_context()
            fresh.add_cookies([{"name": each["name"], "value": each["value"], "url": stage.url.replace("http", "https"),
                                "secure": True} for each in cookies])  # fmt: skip
            page = fresh.new_page()
            answers = _answers(page)
            begun = time.monotonic()
            page.goto(f"{stage.url}/ask", wait_until="load")
            seconds.append(time.monotonic() - begun)
            page.wait_for_timeout(200)
            weights.append(sum(len(answer.body()) for answer in answers) / 1e3)
            fresh.close()
    return max(seconds), max(weights)


def _answers(page: Page) -> list[Response]:
    """Every answer that the page gets from now on."""
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    page.on("response", keep)
    return answers


def _listed(stage: Stage, browser: Browser, documents: int) -> float:
    """The slowest of several views of a collection with many documents, in seconds."""
    store = stage.store("acme", "many")
    with stage.client() as client:
        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(lambda number: _file(client, number), range(documents)))
        for start in range(0, documents, IN_BATCH):
            client.vector_stores.file_batches.create(store, file_ids=ids[start : start + IN_BATCH])
    seconds = []
    with person(browser, stage.url, Manner("en", 1280), stage.key) as someone:
        for _ in range(VIEWS):
            begun = time.monotonic()
            someone.page.goto(f"{stage.url}/documents/{store}", wait_until="load")
            someone.page.locator("tbody tr").nth(49).wait_for()
            seconds.append(time.monotonic() - begun)
    with stage.client() as client:
        client.vector_stores.delete(store)
    return max(seconds)


def _file(client: openai.OpenAI, number: int) -> str:
    content = f"The fee of plan {number} is {number} dollars.".encode()
    return client.files.create(file=(f"document-{number}.txt", content), purpose="assistants").id
