"""What an agent is sent."""

import json

from contract.agent import DesiredSet
from operators.clients.agent import body_of


def test_an_agent_of_an_earlier_release_is_sent_no_field_that_it_refuses() -> None:
    assert json.loads(body_of(DesiredSet())) == {"adapters": []}


def test_residents_are_sent_when_there_are_some() -> None:
    desired = DesiredSet(residents=frozenset({("acme", "support", "r")}))
    assert DesiredSet.model_validate_json(body_of(desired)) == desired
