"""The console in a browser, on the real platform: documents, answers, and what must not succeed."""

import json
import secrets
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pytest
from playwright.sync_api import Browser

from benchmarks.console import attacks, tasks
from benchmarks.console.attacks import Client
from benchmarks.console.chromium import browser, missing
from benchmarks.console.person import Manner, person
from benchmarks.console.stage import Stage
from examples.demo.platform import Platform, create_key, is_ready
from tests.system.desk import FIRST, NAME, desk, wait_until_released
from tests.tuning.training import rows

MANNERS = (Manner("en", 1280), Manner("ko", 360, by_keyboard=True))
# Tasks that need no second version of an adapter.
TASKS = ("add a PDF", "replace", "delete with proof", "ask, open the cited passage", "see why", "compare",
         "keep in the golden set", "make and revoke a key", "see usage")  # fmt: skip


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    if reason := missing():
        pytest.skip(reason)
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def stage(platform: Platform) -> Iterator[Stage]:
    """With a key that may administer, which is removed afterwards."""
    names = {tenant: f"console-{secrets.token_hex(3)}" for tenant in platform.keys}
    scopes = ("inference", "documents", "admin")
    keys = {tenant: create_key(platform.root, tenant, name, scopes) for tenant, name in names.items()}
    own = Platform(platform.root, platform.port, platform.process, keys, console_url=platform.console_url)
    for tenant, key in keys.items():
        own.wait_until(partial(_is_let_in, own, key), what=f"key of {tenant}")
    yield Stage(own)
    for tenant, name in names.items():
        (platform.root / f"key-{tenant}-{name}.yaml").unlink()


def _is_let_in(platform: Platform, key: str) -> bool:
    try:
        openai.OpenAI(base_url=platform.url, api_key=key, max_retries=0).models.list()
    except openai.AuthenticationError:
        return False
    return True


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_people_do_their_work_within_three_clicks(opened: Browser, stage: Stage, manner: Manner) -> None:
    store = stage.store("acme", f"tasks-{secrets.token_hex(3)}")
    with tempfile.TemporaryDirectory() as folder, person(opened, stage.url, manner, stage.key) as someone:
        work = tasks.Tasks(stage, someone, Path(folder), store).all
        for name in TASKS:
            work[name]()
            assert someone.clicks <= tasks.MOST_CLICKS, name
        assert someone.violations == []
    with stage.client() as client:
        client.vector_stores.delete(store)


def test_what_was_written_stays_when_the_session_ends(opened: Browser, stage: Stage) -> None:
    with person(opened, stage.url, MANNERS[0], stage.key) as someone:
        page = someone.page
        page.goto(f"{stage.url}/ask")
        page.fill("#question", "A long question")
        page.context.clear_cookies()
        page.press("#question", "Enter")
        page.wait_for_url("**/sign-in?over=1&next=%2Fask")
        page.fill("#key", stage.key)
        page.press("#key", "Enter")
        page.wait_for_url("**/ask")
        assert page.locator("#question").input_value() == "A long question"


def test_pages_work_without_scripts(opened: Browser, stage: Stage) -> None:
    context = opened.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(stage.url)
    page.fill("#key", stage.key)
    page.press("#key", "Enter")
    page.goto(f"{stage.url}/ask")
    page.fill("#question", tasks.QUESTION)
    page.click("form[data-ask] button.primary")
    assert "30 days" in page.locator(".passage").first.inner_text(timeout=60_000)
    context.close()


def test_hostile_texts_are_texts(opened: Browser, stage: Stage) -> None:
    assert attacks.scripts(stage, opened) == []


@pytest.mark.parametrize("attack", [attacks.forgeries, attacks.redirects, attacks.sessions, attacks.foreign,
                                    attacks.headers])  # fmt: skip
def test_an_attack_fails(stage: Stage, attack: attacks.Attack) -> None:
    assert attack(stage) == []


def test_an_upload_to_another_tenants_collection_leaves_no_file(stage: Stage) -> None:
    store, name = stage.store("globex", "foreign"), f"{secrets.token_hex(4)}.txt"
    client = Client(stage.url)
    _, session, _ = client.sign_in(stage.key)
    parts = {'name="purpose"': "assistants", f'name="file"; filename="{name}"': "The fee is 3."}
    body = "".join(f"--x\r\ncontent-disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts.items())
    body += "--x--\r\n"
    status, _, _ = client.ask("POST", f"/uploads/{store}", body=body, session=session, sec_fetch_site="same-origin",
                              content_type="multipart/form-data; boundary=x")  # fmt: skip
    assert status == 404
    with stage.client() as owner:
        assert name not in [file.filename for file in owner.files.list()]


def test_a_prompt_is_shown_with_its_version(platform: Platform, stage: Stage) -> None:
    client = Client(stage.url)
    _, session, _ = client.sign_in(stage.key)
    with desk(platform) as edit:
        edit(FIRST)
        wait_until_released(platform)
        status, _, page = client.ask("GET", f"/adapters/{NAME}", session=session)
    assert status == 200
    assert f"refund window of the Velmora Basic plan is {FIRST}" in page


def test_a_training_is_begun_from_an_uploaded_file_and_removed(
    opened: Browser, platform: Platform, stage: Stage, tmp_path: Path
) -> None:
    name, examples = f"style-{secrets.token_hex(3)}", tmp_path / f"{secrets.token_hex(4)}.jsonl"
    examples.write_text("".join(json.dumps(row) + "\n" for row in rows(40)))
    with person(opened, stage.url, MANNERS[0], stage.key) as someone:
        page = someone.page
        page.goto(f"{stage.url}/training")
        page.set_input_files("#file", examples)
        page.click("form.drop button")
        page.wait_for_url("**/training?data=file-*")
        page.fill("form.card input[name=name]", name)
        page.click("form.card summary")
        page.fill("input[name=learning_rate]", "0.002")
        page.fill("input[name=epochs]", "1")
        page.click("form.card button.primary")
        page.wait_for_url("**/training?done=begun")
        platform.wait_until(lambda: any(map(is_ready, _trainings(platform, name))), what="result")
        platform.wait_until(lambda: platform.answers(name), what="adapter of the result")
        page.goto(f"{stage.url}/training")
        row = page.locator("tr", has_text=name)
        assert "Trained" in row.inner_text()
        row.locator("summary").click()
        row.locator("form button").click()
        page.wait_for_url("**/training?done=removed")
        assert page.locator("tr", has_text=name).count() == 0
        page.click("details.uploads summary")
        uploaded = page.locator("details.uploads li", has_text=examples.name)
        uploaded.locator("button").click()
        uploaded.wait_for(state="detached")
        assert someone.violations == []
    assert not _trainings(platform, name)
    (platform.root / f"adapter-acme.{name}.yaml").unlink()
    platform.wait_until(lambda: not platform.answers(name), what="removal of the adapter")


def _trainings(platform: Platform, name: str) -> list[dict[str, Any]]:
    return [item for item in platform.objects("fineTunes") if item["metadata"]["name"] == name]


def test_a_reader_changes_nothing(platform: Platform, stage: Stage) -> None:
    name = f"reader-{secrets.token_hex(3)}"
    key = create_key(platform.root, "acme", name, ("inference",))
    stage.platform.wait_until(partial(_is_let_in, stage.platform, key), what="key of a reader")
    client = Client(stage.url)
    _, session, _ = client.sign_in(key)
    posts = ("/documents", "/keys", "/adapters/support/promote", "/adapters/support/rollback", "/training",
             "/training/x/remove")  # fmt: skip
    form = {"name": "x", "scopes": "inference", "data": "file-0", "base_model": "quiver-demo"}
    statuses = {path: client.ask("POST", path, form=form, session=session, sec_fetch_site="same-origin")[0]
                for path in posts}  # fmt: skip
    (platform.root / f"key-acme-{name}.yaml").unlink()
    assert set(statuses.values()) == {403}, statuses
