"""`python -m operators`: the operator of a cluster."""

import argparse
import sys

from pydantic import ValidationError

from kube.client import ConfigurationError
from kube.lease import LeaseLost
from operators.app import run
from operators.settings import OperatorSettings
from service import event_loop, logs


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m operators", description="The operator of a cluster. Configured by QUIVER_OPERATOR_* only."
    ).parse_args()
    logs.configure()
    try:
        settings = OperatorSettings()  # type: ignore[call-arg]  # its fields come from the environment
    except ValidationError as error:
        names = ", ".join(f"QUIVER_OPERATOR_{item['loc'][0]}".upper() for item in error.errors())
        sys.exit(f"operator: set {names}")
    failure: BaseException | None = None
    try:
        event_loop.run(run(settings))
    except* (ConfigurationError, LeaseLost) as group:
        failure = group
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    if failure:
        sys.exit(f"operator: {failure}")


if __name__ == "__main__":
    main()
