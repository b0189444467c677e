"""`make demo`: two tenants, their adapters and documents, one engine, and a tour of it.

Stays up after the tour and says how to call it; with --once it stops, and its last line is one JSON object.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from examples.demo.platform import NotReady, Platform, copy_objects, running
from examples.demo.questions import ANSWERABLE
from examples.demo.tour import Tour

ROOT = Path("build/demo")
TENANTS = ("acme", "globex")


def main() -> int:
    options = _options()
    begun = time.monotonic()
    print(
        "Starting one engine, its agent, the gateway, retrieval and drift; the engine takes about a minute.", flush=True
    )
    try:
        with running(copy_objects(ROOT), tenants=TENANTS, port=options.port, out=sys.stdout) as platform:
            return _tour(platform, begun, once=options.once)
    except (NotReady, TimeoutError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the tour")
    parser.add_argument("--port", type=int, default=8080, help="the gateway's port (default 8080)")
    return parser.parse_args()


def _tour(platform: Platform, begun: float, *, once: bool) -> int:
    tour = Tour(platform, lambda text: print(text, flush=True))
    tour.first_answer(begun)
    platform.wait_until_ready()
    tour.run()
    figures = tour.figures
    if not once:
        _stay(platform)
    else:
        platform.stop()
        print(json.dumps(figures.as_dict()), flush=True)
    return 1 if figures.swap_failed or figures.cross_tenant_leaks else 0


def _stay(platform: Platform) -> None:
    print(how_to_call(platform), flush=True)
    platform.process.wait()


def how_to_call(platform: Platform) -> str:
    keys = "\n".join(f"  {tenant:8} {key}" for tenant, key in platform.keys.items())
    question = ANSWERABLE[0].text
    return f"""
Still running at {platform.url}, until Ctrl-C. Keys:

{keys}

With curl:

  curl {platform.url}/chat/completions -H 'Authorization: Bearer {platform.keys["acme"]}' \\
    -d '{{"model": "support", "messages": [{{"role": "user", "content": "{question}"}}],
         "retrieval": {{"knowledge_bases": ["handbook"]}}}}'

With the openai package (it is in .venv):

  from openai import OpenAI
  client = OpenAI(base_url="{platform.url}", api_key="{platform.keys["acme"]}")
  answer = client.chat.completions.create(
      model="support",
      messages=[{{"role": "user", "content": "{question}"}}],
      extra_body={{"retrieval": {{"knowledge_bases": ["handbook"]}}}},
  )
  print(answer.choices[0].message.content)

Edit {platform.root}/acme.yaml or the files in {platform.root}/documents and ask again.
`.venv/bin/quiver get {platform.root}` shows every object.
"""


if __name__ == "__main__":
    sys.exit(main())
