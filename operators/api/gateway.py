"""What a gateway says of itself to the operator."""

from collections.abc import Mapping

from operators.api.value import Value


class GatewayState(Value):
    """The snapshot a gateway routes by, and the requests that it still carries, by engine name."""

    generation: int
    routable: frozenset[str] = frozenset()
    in_flight: Mapping[str, int] = {}

    def released(self, engine_name: str) -> bool:
        """No request of this gateway reaches the version, now or later."""
        return engine_name not in self.routable and self.in_flight.get(engine_name, 0) == 0
