"""The engine behind a running platform, reached without its gateway: what the gateway is compared with."""

from dataclasses import dataclass

from examples.demo.platform import Platform


@dataclass(frozen=True)
class Engine:
    """`url` is the root, without /v1."""

    url: str
    key: str


def engine(platform: Platform) -> Engine:
    environment = platform.part("serving.gateway").environ()
    endpoint = platform.objects("baseModels")[0]["status"]["endpoints"][0]["url"]
    return Engine(endpoint, environment["QUIVER_GATEWAY_ENGINE_API_KEY"])
