"""`make demo`: two tenants, their adapters and documents, one engine, and a tour of it.

Stays up after the tour and says how to call it. What was edited in build/demo is kept: the next run takes it as it is,
without the tour, unless --fresh drops it. With --once the tour has a directory of its own and the run ends with it: the
last line is one JSON object, and the status is 1 if a figure misses its bar. --tune is another tour that ends so: from
examples to a trained adapter in use, a comparison, and advice.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from examples.demo.figures import missed
from examples.demo.platform import NotReady, Platform, is_ready, running
from examples.demo.questions import ANSWERABLE
from examples.demo.tour import Tour
from examples.demo.tuning import TuningTour
from examples.demo.workspace import AlreadyRunning, alone, prepare

ROOT, ONCE, TUNE = Path("build/demo"), Path("build/demo-once"), Path("build/demo-tune")
TENANTS = ("acme", "globex")
SCOPES = ("inference", "documents", "admin")


def main() -> int:
    options = _options()
    root = TUNE if options.tune else ONCE if options.once else ROOT
    try:
        with alone(root):
            return _run(root, options, begun=time.monotonic())
    except (AlreadyRunning, NotReady, TimeoutError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the tour")
    parser.add_argument("--tune", action="store_true", help="train an adapter and compare it, instead of the tour")
    parser.add_argument("--fresh", action="store_true", help=f"drop what was edited in {ROOT} and begin anew")
    parser.add_argument("--port", type=int, default=8080, help="the gateway's port (default 8080)")
    parser.add_argument("--console-port", type=int, default=8090, help="the console's port (default 8090)")
    parser.add_argument("--management-port", type=int, default=9600, help="the management API's port (default 9600)")
    return parser.parse_args()


def _run(root: Path, options: argparse.Namespace, *, begun: float) -> int:
    kept = prepare(root, fresh=options.fresh or options.once or options.tune)
    print(
        "Starting one engine, its agent, the gateway, retrieval and drift; the engine takes about a minute.", flush=True
    )
    ports = ("--console-port", str(options.console_port), "--management-port", str(options.management_port))
    with running(root, tenants=TENANTS, port=options.port, options=ports, scopes=SCOPES, out=sys.stdout) as platform:
        if kept:
            print(f"\n{what_is_kept(root, kept)}", flush=True)
            platform.wait_until(lambda: _answers(platform), what="a base model that answers")
            return _stay(platform)
        return _tuning_tour(platform) if options.tune else _tour(platform, begun, once=options.once)


def _answers(platform: Platform) -> bool:
    """Other objects may have been edited into something that never gets ready."""
    return any(is_ready(base) for base in platform.objects("baseModels"))


def _tour(platform: Platform, begun: float, *, once: bool) -> int:
    tour = Tour(platform, lambda text: print(text, flush=True))
    tour.first_answer(begun)
    platform.wait_until_ready()
    tour.run()
    misses = missed(tour.figures)
    for miss in misses:
        print(f"demo: MISSED: {miss}", file=sys.stderr, flush=True)
    if not once:
        return _stay(platform) or bool(misses)
    platform.stop()
    print(json.dumps(tour.figures.as_dict()), flush=True)
    return bool(misses)


def _tuning_tour(platform: Platform) -> int:
    tour = TuningTour(platform, lambda text: print(text, flush=True))
    tour.run()
    misses = tour.figures.missed()
    for miss in misses:
        print(f"demo: MISSED: {miss}", file=sys.stderr, flush=True)
    platform.stop()
    print(json.dumps(tour.figures.as_dict()), flush=True)
    return bool(misses)


def _stay(platform: Platform) -> int:
    """The status to end with, once the platform has."""
    print(how_to_call(platform), flush=True)
    return bool(platform.process.wait())


def what_is_kept(root: Path, kept: Sequence[str]) -> str:
    return (
        f"{root} is run as it was left, without the tour, for it holds edits: {', '.join(kept)}.\n"
        "`make demo ARGS=--fresh` drops them and begins anew, with the tour."
    )


def how_to_call(platform: Platform) -> str:
    keys = "\n".join(f"  {tenant:8} {key}" for tenant, key in platform.keys.items())
    question = ANSWERABLE[0].text
    return f"""
It runs at {platform.url}, until Ctrl-C. Keys:

{keys}

In a browser: {platform.console_url}. Sign in with one of these keys; drop a file, ask about it, see why. The
platform's own key, for the state of all tenants, is in {platform.root}/.quiver/platform-key.

With curl:

  curl {platform.url}/chat/completions -H 'Authorization: Bearer {platform.keys["acme"]}' \\
    -d '{{"model": "support", "messages": [{{"role": "user", "content": "{question}"}}]}}'

With the openai package (it is in .venv):

  from openai import OpenAI
  client = OpenAI(base_url="{platform.url}", api_key="{platform.keys["acme"]}")
  answer = client.chat.completions.create(
      model="support", messages=[{{"role": "user", "content": "{question}"}}]
  )
  print(answer.choices[0].message.content)

Or from here:

  .venv/bin/quiver ask {platform.root} acme/support "{question}"

Edit {platform.root}/acme.yaml or the files in {platform.root}/documents and ask again; the next `make demo` keeps them.
`.venv/bin/quiver get {platform.root}` shows every object.
"""


if __name__ == "__main__":
    sys.exit(main())
