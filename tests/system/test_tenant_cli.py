"""`quiver tenant`: a tenant's administrator works at a terminal with a key alone, by the management API."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest

from examples.demo.platform import QUIVER, Platform, create_key

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(platform: Platform) -> Iterator[Run]:
    """The command with the key of an administrator of acme."""
    name = f"terminal-{secrets.token_hex(3)}"
    key = create_key(platform.root, "acme", name, ("admin",))

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        access = ("--url", platform.management_url, "--key", key)
        return subprocess.run(
            [QUIVER, "tenant", *access, *words], capture_output=True, text=True, check=False, timeout=60
        )

    platform.wait_until(lambda: command("who").returncode == 0, what="the key", limit_s=30)
    yield command
    (platform.root / f"key-acme-{name}.yaml").unlink()


def _models(platform: Platform, key: str) -> list[str]:
    with openai.OpenAI(base_url=platform.url, api_key=key, max_retries=0) as client:
        return [model.id for model in client.models.list()]


def test_a_key_is_made_used_listed_and_revoked(platform: Platform, run: Run) -> None:
    name = f"made-{secrets.token_hex(3)}"
    made = run("create-key", name, "--model", "support", "--days", "1")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert _models(platform, key) == ["support"]
    assert run("create-key", name).returncode == 1
    platform.wait_until(
        lambda: _line(run("keys").stdout, name).split()[3] != "-", what="the key's last use", limit_s=60
    )
    assert run("revoke-key", name).returncode == 0
    with pytest.raises(openai.AuthenticationError):
        _models(platform, key)
    assert name not in run("keys").stdout
    actions = [line.split() for line in run("changes").stdout.splitlines() if name in line]
    assert {"key.create", "key.revoke"} <= {word for line in actions for word in line}


def test_a_training_is_begun_from_a_file_shown_and_removed(run: Run, tmp_path: Path) -> None:
    file, name = tmp_path / "questions.jsonl", f"made-{secrets.token_hex(3)}"
    file.write_text('{"question": "What is the refund window?"}\n')
    begun = run("train", name, str(file), "--base-model", "quiver-demo", "--teacher", "not-there")
    assert begun.returncode == 0, begun.stderr
    assert run("train", name, str(file), "--base-model", "quiver-demo").returncode == 1
    assert name in run("trainings").stdout
    assert run("remove-training", name).returncode == 0
    assert name not in run("trainings").stdout


def test_adapters_their_history_and_usage_are_shown(run: Run) -> None:
    assert "support" in run("adapters").stdout
    assert "Released" in run("history", "support").stdout
    assert "requests a minute" in run("usage").stdout
    assert run("who").stdout.strip().endswith("of acme: admin (admin)")


def test_what_cannot_be_decided_or_is_of_another_tenant_is_refused_with_the_reason(run: Run) -> None:
    for command in ("promote", "history"):
        refused = run(command, "desk")
        assert (refused.returncode, refused.stderr) == (1, "Error: Tenant acme has no adapter 'desk'.\n")
    refused = run("rollback", "support", "--to", "abcdef")
    assert refused.returncode == 1
    assert "abcdef is not in the engines" in refused.stderr


def test_a_wrong_key_and_a_wrong_address_are_named(platform: Platform) -> None:
    wrong = ((platform.management_url, "qv-acme-0", "not valid"), ("http://127.0.0.1:9", "x", "does not answer"))
    for url, key, reason in wrong:
        done = subprocess.run([QUIVER, "tenant", "--url", url, "--key", key, "who"], capture_output=True, text=True,
                              check=False, timeout=60)  # fmt: skip
        assert (done.returncode, reason in done.stderr) == (1, True), done.stderr


def _line(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(name))
