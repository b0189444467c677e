"""`quiver up` and `quiver doctor`."""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import click

from contract.conditions import ENGINE_FAILED, READY, Condition, holds
from contract.snapshot import Snapshot
from operators.check import Check
from operators.cli.arguments import PlaceType, directory_argument, port_option
from operators.cli.places import on_cluster
from operators.local import address, directory, doctor, record, table
from operators.local.directory import Contents
from operators.local.engine_phase import phase
from operators.local.layout import Layout, free_port, url
from operators.local.lock import AlreadyRunningError, alone, is_running
from operators.local.progress import Progress
from operators.local.record import Record, RecordLostError
from operators.settings import Settings, fetching_environment, inherited_environment, kubeconfig
from service import logs

PHASE_PERIOD_S = 5.0


@click.command()
@directory_argument
@port_option
@click.option(
    "--console-port", type=click.IntRange(1, 65535), help="The console's port on 127.0.0.1; by default a free one."
)
@click.option(
    "--management-port",
    type=click.IntRange(1, 65535),
    help="The management API's port on 127.0.0.1; by default a free one.",
)
@click.option("--begin-anew", is_flag=True, help="Start although the record of earlier releases and rollbacks is lost.")
def up(root: Path, port: int, console_port: int | None, management_port: int | None, *, begin_anew: bool) -> None:
    """Run the objects in DIR as processes, and follow edits to the files."""
    settings = Settings()
    if is_running(root):
        raise click.ClickException(f"{root} is run by another quiver up; stop that one first")
    _require(settings, port, root)
    contents = _read(root)
    runtime = tempfile.TemporaryDirectory(prefix="quiver-")  # short: a socket's path has at most 107 bytes
    layout = Layout(
        root=root.resolve(),
        runtime=Path(runtime.name),
        gateway_port=port,
        console_port=console_port or free_port(),
        management_port=management_port or free_port(),
        engine_python=settings.engine_python,
        embedder=settings.embedder_variables,
        environment=inherited_environment() | _without_compiler(),
        fetching=fetching_environment(),
    )
    logs.configure()
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    click.echo(f"gateway  {url(port)}/v1")
    click.echo(f"console  {url(layout.console_port)}")
    click.echo(f"manage   {url(layout.management_port)}")
    click.echo(f"         the platform's own key is in {layout.platform_key}")
    click.echo(f"metrics  {'  '.join(address.metrics_urls(layout))}")
    click.echo(f"         with the bearer token in {layout.metrics_token}")
    click.echo(f"logs     {layout.logs}")
    try:
        with runtime, alone(layout):
            address.write(layout)
            address.write_metrics(layout)
            address.write_platform_key(layout)
            with closing(record.opened(layout.state, layout.snapshot, begin_anew=begin_anew)) as opened:
                asyncio.run(_run(layout, contents, opened))
    except (AlreadyRunningError, RecordLostError) as error:
        raise click.ClickException(str(error)) from error


def _without_compiler() -> dict[str, str]:
    """Turns vLLM's compilation off where there is no compiler: vLLM would not start."""
    return {} if doctor.compiler() else {"TORCHDYNAMO_DISABLE": "1"}


def _require(settings: Settings, port: int, root: Path) -> None:
    checks = doctor.examine(settings, port, root)
    missing = [check for check in checks if check.needed and not check.holds]
    for check in missing:
        click.echo(f"{check.what}: {check.fact}; {check.remedy}", err=True)
    if missing:
        sys.exit(1)


def _read(root: Path) -> Contents:
    """Reads the objects. At the start nothing runs yet, so a broken file is only reported and left out."""
    contents = directory.read(root.resolve(), Contents())
    for problem in contents.problems:
        click.echo(f"{problem.file}: {problem.message}", err=True)
    if contents.unread:
        click.echo("until every file is readable, no document is indexed and no tenant's record removed", err=True)
    if not contents.objects.base_models:
        raise click.ClickException(f"{root} holds no BaseModel; add a file with one, see examples/demo")
    return contents


async def _run(layout: Layout, contents: Contents, opened: Record) -> None:
    from operators.local.runner import Runner  # imported late: it takes a third of a second

    begun, progress = time.monotonic(), Progress()
    published = Snapshot()

    def say(snapshot: Snapshot) -> None:
        nonlocal published
        published = snapshot
        for line in progress.news(snapshot):
            click.echo(f"{time.monotonic() - begun:7.1f} s  {line}")

    runner = Runner(layout, contents, opened, on_snapshot=say)
    task = asyncio.ensure_future(runner.run())
    phases = asyncio.ensure_future(_say_phases(layout, begun, lambda: published))

    def stop() -> None:
        """A second signal stops without waiting."""
        if not task.cancelling():
            task.cancel()
        else:
            runner.kill()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    phases.cancel()
    click.echo("stopped")


async def _say_phases(layout: Layout, begun: float, published: Callable[[], Snapshot]) -> None:
    """Report the phase of starting engines every few seconds: a real model takes minutes."""
    logs = {path: path.stat().st_size for path in layout.logs.glob("engine-*.log")}  # sizes left by earlier runs
    while True:
        await asyncio.sleep(PHASE_PERIOD_S)
        for base in published().objects.base_models:
            if not holds(base.status.conditions, READY) and not fails(base.status.conditions):
                file = layout.logs / f"engine-{base.name}.log"
                doing = phase(await asyncio.to_thread(_text, file, logs.get(file, 0)))
                click.echo(f"{time.monotonic() - begun:7.1f} s  BaseModel {base.name}: its engine is {doing}")


def fails(conditions: Sequence[Condition]) -> bool:
    """True if the engine failed: the reason is already reported, so the phase of the next try adds nothing."""
    return any(condition.reason == ENGINE_FAILED for condition in conditions)


def _text(file: Path, start: int) -> str:
    """A log from `start` on, in bytes."""
    if not file.exists():
        return ""
    with file.open("rb") as log:
        log.seek(start)
        return log.read().decode(errors="replace")


@click.command("doctor")
@port_option
@click.argument("root", metavar="[DIR|cluster]", type=PlaceType(), default=".")
def examine(port: int, root: Path | None) -> None:
    """List the prerequisites for a run of DIR, or the parts of an installation, with remedies."""
    checks = _of_directory(root, port) if root else _of_cluster()
    click.echo(table.of_checks(checks))
    sys.exit(0 if all(check.holds for check in checks) else 1)


def _of_directory(root: Path, port: int) -> Sequence[Check]:
    settings = Settings()
    return list(doctor.examine(settings, port, root))


def _of_cluster() -> Sequence[Check]:
    from operators.cluster import doctor as cluster  # imported late: few commands need a cluster

    with on_cluster():
        return cluster.examine(kubeconfig())
