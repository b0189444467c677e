"""Run the service: `python -m serving.drift`."""

import argparse
import logging
import sys
import time

import numpy as np
import uvicorn

from serving.drift.app import create_app
from serving.drift.errors import SettingsError
from serving.drift.settings import load


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m serving.drift", description="The drift detector. Told by QUIVER_DRIFT_* alone."
    ).parse_args()
    try:
        settings = load()
    except SettingsError as invalid:
        sys.exit(str(invalid))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = create_app(settings, clock=time.time, rng=np.random.default_rng())
    uvicorn.run(app, host=settings.host, port=settings.port, access_log=False)


if __name__ == "__main__":
    main()
