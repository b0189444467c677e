"""An adapter is content, a prompt, or both."""

import hashlib
from typing import Any

import pytest

from contract.adapter import AdapterSpec, Version, comparison, version_digest
from contract.prompt import Prompt

KIND, RUDE = Prompt(system="Be kind."), Prompt(system="Be rude.")


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"digest": "a" * 64, "prompt": {"system": "Be kind."}},
        {"credentials": "hub", "prompt": {"system": "Be kind."}},
        {"source": "/x", "prompt": {"grounding": "Answer from these passages."}},
    ],
)
def test_nothing_at_all_and_passages_without_marks_are_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"give source|show the mark"):
        AdapterSpec.model_validate({"baseModel": "base", **spec})


def test_a_version_is_named_by_its_content_and_its_prompt() -> None:
    content = "a" * 64
    assert version_digest(content, None) == content
    assert len({content, version_digest(content, KIND), version_digest(content, RUDE)}) == 3
    assert version_digest(content, KIND) == version_digest(content, Prompt(system="Be kind."))


def test_the_digest_of_a_prompt_stays() -> None:
    assert KIND.digest == hashlib.sha256(b'{"system":"Be kind."}').hexdigest()


def test_versions_that_differ_in_their_prompts_have_one_content_and_two_comparisons() -> None:
    plain = Version(digest="a" * 64, engine_name="acme.support.a", base_model="base", source="/x")
    kind = plain.model_copy(update={"digest": version_digest("a" * 64, KIND), "content": "a" * 64, "prompt": KIND})
    assert plain.content_digest == kind.content_digest
    assert comparison("acme", "support", plain.digest) != comparison("acme", "support", kind.digest)
    assert comparison("acme", "support", kind.digest) != comparison("globex", "support", kind.digest)
    assert not plain.is_base
