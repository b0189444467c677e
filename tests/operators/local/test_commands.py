"""What each process is given, and what it is not."""

from pathlib import Path

from operators.api.base_model import BaseModel
from operators.local import commands
from operators.local.commands import Replica
from operators.local.layout import Layout
from tests.operators import objects

LAYOUT = Layout(
    root=Path("/objects"),
    gateway_port=1,
    engine_python=Path("/python"),
    embedder=Path("/embedder"),
    environment={"PATH": "/bin"},
    fetching={"HF_TOKEN": "secret", "HTTPS_PROXY": "http://proxy"},
)


def test_credentials_go_to_what_fetches_and_to_nothing_else() -> None:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    assert commands.engine(LAYOUT, base, Replica("base", Path("/run/base.sock"), 3)).environment["HF_TOKEN"] == "secret"
    for spec in (*commands.services(LAYOUT), commands.agent(LAYOUT, base, Replica("base", Path("/run/base.sock"), 3))):
        assert "secret" not in spec.environment.values()
        assert spec.environment["PATH"] == "/bin"
