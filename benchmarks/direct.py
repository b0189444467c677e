"""The engine behind a running platform, reached without its gateway: what the gateway is compared with."""

import http.client
import socket
from dataclasses import dataclass

from examples.demo.platform import Platform
from service.addresses import UNIX


@dataclass(frozen=True)
class Engine:
    """`url` is its address, as `service.addresses` reads it."""

    url: str
    key: str

    def get(self, path: str) -> str:
        """What a page of it says."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.url.removeprefix(UNIX))
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text


def engine(platform: Platform) -> Engine:
    environment = platform.part("serving.gateway").environ()
    endpoint = platform.objects("baseModels")[0]["status"]["endpoints"][0]["url"]
    return Engine(endpoint, environment["QUIVER_GATEWAY_ENGINE_API_KEY"])
