from collections.abc import Iterator

import pytest

from operators.crd.definitions import definitions
from tests.api_server.parts import PLATFORM, namespace
from tests.api_server.roles import grant
from tests.api_server.server import ApiServer, api_server


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """A real API server that knows our kinds."""
    with api_server() as found:
        found.apply(*definitions().values())
        names = [f"crd/{item['metadata']['name']}" for item in definitions().values()]
        found.kubectl("wait", "--for=condition=Established", *names, "--timeout=30s")
        found.apply(namespace(PLATFORM))
        grant(found, "operator", "operator", "other")
        grant(found, "gateway", "gateway")
        yield found
