import pytest

from service.tokens import Tokens, first


def test_every_token_of_the_list_is_accepted_and_the_first_is_sent() -> None:
    tokens = Tokens("new-token, old-token")
    assert tokens.accept("Bearer new-token")
    assert tokens.accept("bearer old-token")
    assert first("new-token, old-token") == "new-token"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic new", "new", "Bearer new,old", "Bearer  new", "Bearer newx"]
)
def test_nothing_else_is(header: str) -> None:
    assert not Tokens("new,old").accept(header)


@pytest.mark.parametrize("setting", ["", " ", ",", " , "])
def test_a_service_without_a_token_does_not_start(setting: str) -> None:
    with pytest.raises(ValueError, match="no token"):
        Tokens(setting)
