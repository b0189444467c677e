"""Callers of every tenant in a pod of their own: `python -m tests.e2e.caller`, told by URL and KEYS ({tenant: key}).

A line of JSON for everything that ends: when, whose, and the answer or the failure.
"""

import asyncio
import json
import os
import signal
import time
from contextlib import AsyncExitStack

from benchmarks.load import Load, load_on

MODELS = {"acme": "support", "globex": "desk"}
CALLERS = 2  # of each tenant; one of them streams
PERIOD_S = 0.2


async def main() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with AsyncExitStack() as stack:
        loads = {
            tenant: await stack.enter_async_context(load_on(os.environ["URL"], key, model=model, callers=CALLERS))
            for tenant, key in json.loads(os.environ["KEYS"]).items()
            for model in [MODELS[tenant]]
        }
        while not stopped.is_set():
            for tenant, load in loads.items():
                _tell(tenant, load)
            await asyncio.sleep(PERIOD_S)


def _tell(tenant: str, load: Load) -> None:
    """Everything once."""
    now = time.time()
    for answer in load.answers:
        print(json.dumps({"at": now, "tenant": tenant, "text": answer.text}), flush=True)
    for failure in load.failures:
        print(json.dumps({"at": now, "tenant": tenant, "failure": failure}), flush=True)
    load.answers.clear()
    load.failures.clear()


if __name__ == "__main__":
    asyncio.run(main())
