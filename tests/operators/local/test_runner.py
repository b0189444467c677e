"""The runner decides and publishes whatever its neighbours do, which are sockets here."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contract.snapshot import Snapshot
from operators.local import commands, directory, files, runner, snapshots
from operators.local.directory import Contents, read
from operators.local.layout import Layout
from operators.local.process import ProcessSpec
from operators.local.record import opened
from operators.local.runner import Runner

TENANT = """
apiVersion: quiver.dev/v1alpha1
kind: Tenant
metadata: {name: acme}
spec: {namespace: acme}
"""
KEY = """
apiVersion: quiver.dev/v1alpha1
kind: APIKey
metadata: {name: first, namespace: acme}
spec: {sha256: "%s"}
""" % ("0" * 64)
BASE = """
apiVersion: quiver.dev/v1alpha1
kind: BaseModel
metadata: {name: base}
spec: {source: ./base}
"""
# An engine that does not stop when it is asked to.
DEAF = f"""#!{sys.executable}
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(__file__).with_name("started").touch()
time.sleep(600)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(commands, "services", lambda layout: ())
    monkeypatch.setattr(commands, "agent", lambda layout, base, replica: ProcessSpec("agent", ("true",), {}))
    (tmp_path / "tenant.yaml").write_text(TENANT)
    (tmp_path / "key.yaml").write_text(KEY)
    return tmp_path


def _layout(root: Path) -> Layout:
    layout = Layout(root=root, gateway_port=0, engine_python=root / "engine", embedder={}, environment={}, runtime=root)
    layout.logs.mkdir(parents=True)
    return layout


@asynccontextmanager
async def _running(layout: Layout) -> AsyncIterator[Runner]:
    contents = await asyncio.to_thread(read, layout.root, Contents())
    found = Runner(layout, contents, await asyncio.to_thread(opened, layout.state, layout.snapshot))
    task = asyncio.create_task(found.run())
    try:
        yield found
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.sleep(0.05)
        found.kill()
        async with asyncio.timeout(5):
            await asyncio.gather(task, return_exceptions=True)


async def _until(condition: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  # what is waited for happens elsewhere
            await asyncio.sleep(0.02)


async def _published(layout: Layout, condition: Callable[[Snapshot], object], seconds: float = 5) -> None:
    await _until(lambda: condition(snapshots.read(layout.snapshot)), seconds)


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_a_key_is_removed_while_drift_ingest_and_an_agent_take_calls_and_never_answer(root: Path) -> None:
    layout = _layout(root)
    servers = [
        await asyncio.start_server(_hang, "127.0.0.1", port)
        for port in (layout.drift_port, layout.ingest_port, layout.internal_port)
    ]
    async with _running(layout):
        await _published(layout, lambda snapshot: snapshot.objects.api_keys)
        (root / "key.yaml").unlink()
        await _published(layout, lambda snapshot: not snapshot.objects.api_keys, seconds=2)
    for server in servers:
        server.close()


async def test_a_key_is_removed_while_an_engine_does_not_stop(root: Path) -> None:
    (root / "base.yaml").write_text(BASE)
    (root / "engine").write_text(DEAF)
    (root / "engine").chmod(0o755)
    layout = _layout(root)
    async with _running(layout):
        await _until((root / "started").exists)
        (root / "base.yaml").unlink()
        await _published(layout, lambda snapshot: not snapshot.objects.base_models)
        (root / "key.yaml").unlink()
        await _published(layout, lambda snapshot: not snapshot.objects.api_keys, seconds=2)


@pytest.mark.parametrize("text", ["metadata: {name: !!int x}", "[" * 3000, 'kind: "\\ud800"', "]"])
async def test_a_broken_edit_is_told_and_ends_nothing(root: Path, text: str) -> None:
    layout = _layout(root)
    async with _running(layout):
        await _published(layout, lambda snapshot: snapshot.objects.api_keys)
        (root / "key.yaml").write_text(text)
        await _published(layout, lambda snapshot: snapshot.problems and snapshot.objects.api_keys)
        (root / "key.yaml").write_text(KEY.replace("first", "second"))
        await _published(layout, lambda snapshot: snapshot.objects.api_keys[0].name == "second")


async def test_an_edit_without_any_hint_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None: ...

    monkeypatch.setattr(files, "watch", nothing)
    layout = _layout(root)
    async with _running(layout):
        await _published(layout, lambda snapshot: snapshot.objects.api_keys)
        (root / "key.yaml").unlink()
        await _published(layout, lambda snapshot: not snapshot.objects.api_keys)


async def test_a_file_that_is_half_written_takes_nothing_away(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "FILES_PERIOD_S", 0.01)
    whole = KEY + "---" + KEY.replace("first", "second")
    (root / "key.yaml").write_text(whole)
    layout = _layout(root)
    async with _running(layout):
        await _published(layout, lambda snapshot: len(snapshot.objects.api_keys) == 2)
        for _ in range(10):
            (root / "key.yaml").write_text(KEY)
            await asyncio.sleep(0.015)
            (root / "key.yaml").write_text(whole)
            await asyncio.sleep(0.15)
        assert (await asyncio.to_thread(snapshots.read, layout.snapshot)).generation == 1


async def test_whatever_goes_wrong_with_reading_is_said_once_and_tried_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    layout = _layout(root)
    right = directory.read

    def wrong(*_: object) -> Contents:
        raise KeyError("unforeseen")

    async with _running(layout):
        await _published(layout, lambda snapshot: snapshot.objects.api_keys)
        monkeypatch.setattr(runner, "FILES_PERIOD_S", 0.05)
        monkeypatch.setattr(directory, "read", wrong)
        (root / "key.yaml").unlink()
        await asyncio.sleep(0.5)
        assert caplog.text.count("its last objects stay in force: KeyError: 'unforeseen'") == 1
        monkeypatch.setattr(directory, "read", right)
        await _published(layout, lambda snapshot: not snapshot.objects.api_keys)


def _writes(calls: Sequence[bytes]) -> Sequence[bytes]:
    return [call for call in calls if not call.startswith(b"GET ")]


async def test_nothing_is_forgotten_for_a_file_that_cannot_be_read_at_the_start(root: Path) -> None:
    layout = _layout(root)
    calls: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.readline())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    (root / "tenant.yaml").write_text("]")
    server = await asyncio.start_server(answer, "127.0.0.1", layout.drift_port)
    async with _running(layout):
        await _published(layout, lambda snapshot: snapshot.objects.api_keys)
        await asyncio.sleep(0.3)
        assert _writes(calls) == []
        (root / "tenant.yaml").write_text(TENANT)
        await _until(lambda: _writes(calls))
    server.close()
    assert _writes(calls)[0].startswith(b"PUT /v1/tenants")
