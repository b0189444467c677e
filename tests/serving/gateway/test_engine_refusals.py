"""What vLLM 0.32 says, word for word, and what callers are told of it."""

import orjson
import pytest

from serving.gateway.engine_refusals import ContextTooLong, refusal


def _body(message: str, param: str | None = None) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "BadRequestError", "param": param, "code": 400}})


LIMIT = "This model's maximum context length is 1024 tokens. However, "
REMEDY = "Please reduce the length of the messages or completion."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"{LIMIT}your prompt contains at least 1025 input tokens, which exceeds this limit.",
         "your messages resulted in 1025 tokens or more. "),
        ("max_tokens=5000 cannot be greater than max_model_len=1024. Please request fewer output tokens.",
         "5000 tokens were asked for in the completion. "),
        (f"{LIMIT}you requested 900 output tokens and your prompt contains 300 input tokens, 1200 in total.",
         "your messages resulted in 300 tokens or more and 900 tokens were asked for in the completion. "),
    ],
)  # fmt: skip
def test_too_long_a_context_is_told_in_openais_sentence_which_clients_read(said: str, told: str) -> None:
    found = refusal(_body(said), field="messages")
    assert isinstance(found, ContextTooLong)
    assert (found.message, found.code) == (f"{LIMIT}{told}{REMEDY}", "context_length_exceeded")


def test_a_sentence_without_the_limit_is_whole() -> None:
    said = "The prompt is over the maximum context length"
    assert refusal(_body(said), field="messages").message.startswith("This model's maximum context length is smaller. ")


def test_a_value_that_the_model_cannot_take_is_named() -> None:
    found = refusal(
        _body("token_id(s) [99999] in logit_bias contain out-of-vocab token ids", "logit_bias"), field="messages"
    )
    assert (found.param, found.message) == ("logit_bias", "The model cannot take this value of `logit_bias`.")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"error": 5}', _body("/srv/secret/path acme.support.abc")])
def test_nothing_else_of_the_engines_words_is_passed_on(body: bytes) -> None:
    found = refusal(body, field="messages")
    assert found.code == "engine_refused"
    assert "secret" not in found.message


def test_of_a_completion_it_is_the_prompt_that_is_too_long() -> None:
    found = refusal(_body(f"{LIMIT}your prompt contains at least 1025 input tokens."), field="prompt")
    assert (found.param, "your prompt resulted in 1025 tokens" in found.message) == ("prompt", True)
