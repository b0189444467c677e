"""What each process is given, and what it is not."""

from pathlib import Path

from contract.base_model import BaseModel
from operators.local import commands
from operators.local.commands import Replica
from operators.local.layout import Layout
from tests.operators import objects

LAYOUT = Layout(
    root=Path("/objects"),
    runtime=Path("/run/quiver"),
    gateway_port=1,
    engine_python=Path("/python"),
    embedder={"EMBEDDER": "/embedder"},
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


def test_each_pair_of_parts_has_a_token_of_its_own_and_no_command_line_shows_one() -> None:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    replica = Replica("base", Path("/run/base.sock"), 3)
    specs = (*commands.services(LAYOUT), commands.agent(LAYOUT, base, replica), commands.engine(LAYOUT, base, replica))
    holders: dict[str, set[str]] = {}
    for spec in specs:
        for pair, token in LAYOUT.tokens.items():
            assert token not in " ".join(spec.arguments)
            if any(token in value for value in spec.environment.values()):
                holders.setdefault(pair, set()).add(spec.name)
    assert holders.pop("metrics") >= {"gateway", "drift", "ingest", "retrieval", "agent-base"}
    assert holders == {
        "runner-agent": {"agent-base"},
        "runner-gateway": {"gateway"},
        "runner-ingest": {"ingest"},
        "runner-drift": {"drift"},
        "gateway-retrieval": {"gateway", "retrieval"},
        "gateway-ingest": {"gateway", "ingest"},
        "gateway-drift": {"gateway", "drift"},
        "management-gateway": {"management", "gateway"},
        "console-management": {"console", "management"},
        "platform": {"management"},
        "engine": {"engine-base", "agent-base", "gateway"},
    }
