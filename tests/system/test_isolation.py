"""Nothing of one tenant reaches another: not a name, not a document, not a number."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import openai
import pytest

from examples.demo.platform import Platform, read_metrics
from examples.demo.questions import FOREIGN

HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize("name", ["desk", "brief", "globex.desk", "globex/desk"])
def test_another_tenants_alias_and_no_alias_are_refused_in_the_same_words(acme: openai.OpenAI, name: str) -> None:
    texts = []
    for asked in (name, "nobody"):
        with pytest.raises(openai.NotFoundError) as caught:
            acme.chat.completions.create(model=asked, messages=HELLO)
        texts.append(str(caught.value).replace(asked, "NAME"))
    assert texts[0] == texts[1]


def test_no_engine_name_is_a_name(platform: Platform, acme: openai.OpenAI, globex: openai.OpenAI) -> None:
    for adapter in platform.objects("adapters"):
        for client in (acme, globex):
            with pytest.raises(openai.NotFoundError):
                client.chat.completions.create(model=adapter["status"]["active"]["engineName"], messages=HELLO)


def test_another_tenants_knowledge_base_and_none_are_refused_in_the_same_words(globex: openai.OpenAI) -> None:
    texts = []
    for asked in ("handbook", "nothing"):
        with pytest.raises(openai.NotFoundError) as caught:
            globex.chat.completions.create(
                model="quiver-demo", messages=HELLO, extra_body={"retrieval": {"knowledge_bases": [asked]}}
            )
        texts.append(str(caught.value).replace(asked, "NAME"))
    assert texts[0] == texts[1]


def test_another_tenants_facts_are_not_found(acme: openai.OpenAI, globex: openai.OpenAI) -> None:
    for question in FOREIGN:
        client, base = (acme, "handbook") if question.tenant == "acme" else (globex, "manuals")
        answer = client.chat.completions.create(
            model="quiver-demo",
            messages=[{"role": "user", "content": question.text}],
            temperature=0,
            max_tokens=32,
            extra_body={"retrieval": {"knowledge_bases": [base], "top_k": 20}},
        )
        assert question.answer
        assert question.answer not in answer.model_dump_json()


@pytest.mark.parametrize(
    "extra",
    [{"tenant": "globex"}, {"cache_salt": "globex"}, {"retrieval": {"tenant": "globex"}}, {"priority": -1}],
)
def test_a_caller_cannot_say_who_it_is(acme: openai.OpenAI, extra: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError):
        acme.chat.completions.create(model="support", messages=HELLO, max_tokens=1, extra_body=extra)


def test_headers_that_claim_a_tenant_change_nothing(acme: openai.OpenAI) -> None:
    claims = {"x-tenant": "globex", "user": "globex", "x-user-id": "globex", "x-label-selector": "tenant=globex"}
    with pytest.raises(openai.NotFoundError):
        acme.chat.completions.create(model="desk", messages=HELLO, extra_headers=claims)


def test_what_names_every_tenant_is_not_on_the_public_port(platform: Platform) -> None:
    for path in ("/metrics", "/v1/state"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{platform.port}{path}", headers={"Authorization": f"Bearer {platform.keys['acme']}"}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as refusal:
            assert refusal.code == 404
            assert "globex" not in json.dumps(json.load(refusal))


def test_metrics_name_every_tenant_and_ask_for_a_token_on_the_inner_ports_too(platform: Platform) -> None:
    for url in (platform.metrics_url, platform.drift_url):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url)
        with caught.value as refusal:
            assert refusal.code == 401
        assert "globex" in read_metrics(platform, url)


def test_what_a_run_keeps_is_for_its_user_alone(platform: Platform) -> None:
    state = platform.root / ".quiver"
    engine = platform.objects("baseModels")[0]["status"]["endpoints"][0]["url"]
    for directory in (state, Path(engine.removeprefix("unix:")).parent):
        assert directory.stat().st_mode & 0o077 == 0, directory
