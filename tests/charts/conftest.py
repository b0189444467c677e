from tests.api_server.conftest import server

__all__ = ["server"]
