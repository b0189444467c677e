"""Run the service: `python -m serving.drift`."""

import argparse
import sys
import time

from service import logs
from service.server import serve
from serving.drift.app import create_app
from serving.drift.detector import Detector
from serving.drift.errors import SettingsError
from serving.drift.settings import load
from serving.drift.store import Store


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m serving.drift", description="The drift detector. Configured by QUIVER_DRIFT_* only."
    ).parse_args()
    try:
        settings = load()
    except SettingsError as invalid:
        sys.exit(str(invalid))
    logs.configure()
    detector = Detector(settings, Store(settings.state), clock=time.time)
    serve(create_app(settings, detector), host=settings.host, port=settings.port, descriptor=settings.socket)


if __name__ == "__main__":
    main()
