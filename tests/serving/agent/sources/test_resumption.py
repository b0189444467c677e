"""A model of a server and a client that breaks off: whatever the server knows of HTTP, the content is right."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.agent.sources.part import NOTHING, Received
from serving.agent.sources.resumption import Body, Restart, Unchanged, meaning, question

TAG, OTHER = '"one"', '"two"'
DIGEST = "sha256:" + "0" * 64


def _answer(
    asked: Mapping[str, str], tag: str, content: bytes, *, ranges: bool, conditions: bool
) -> tuple[int, dict[str, str], bytes]:
    headers = {"ETag": tag} if tag else {}
    if conditions and tag and asked.get("If-None-Match") == tag:
        return 304, headers, b""
    fresh = not conditions or asked.get("If-Range", tag) == tag
    if ranges and fresh and "Range" in asked:
        start = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            return 416, headers, b""
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return 206, headers | {"Content-Range": span}, content[start:]
    return 200, headers | {"Content-Length": str(len(content))}, content


@given(
    old=st.binary(max_size=20),
    new=st.binary(max_size=20),
    changed=st.booleans(),
    tagged=st.booleans(),
    ranges=st.booleans(),
    conditions=st.booleans(),
    data=st.data(),
)
def test_what_is_put_together_is_always_what_the_remote_holds_now(
    old: bytes, new: bytes, changed: bool, tagged: bool, ranges: bool, conditions: bool, data: st.DataObject
) -> None:
    part = old[: data.draw(st.integers(0, len(old)))] if tagged else b""
    held = Received(TAG, len(old), len(part)) if part else NOTHING
    content = new if changed else old
    tag = (OTHER if changed else TAG) if tagged else ""
    for attempt in (held, NOTHING):
        asked = question(attempt, None)
        status, headers, body = _answer(asked, tag, content, ranges=ranges, conditions=conditions)
        match meaning(attempt, None, status, headers):
            case Body(start, total, _):
                assert part[:start] + body == content
                assert total == len(content)
                return
            case Unchanged():
                assert part == content
                return
            case Restart():
                assert attempt is held
                assert held.have
    raise AssertionError("a plain request was not understood")


@given(
    status=st.sampled_from([200, 206, 304, 416]),
    headers=st.dictionaries(
        st.sampled_from(["ETag", "Content-Range", "Content-Length"]),
        st.text('bytes 0123456789-/*"W', max_size=30)
        | st.sampled_from([TAG, "W/" + TAG, "bytes 5-9/10", "bytes 5-4/3", "bytes */10"]),
    ),
)
def test_no_answer_is_taken_for_a_rest_unless_everything_fits(status: int, headers: dict[str, str]) -> None:
    match meaning(Received(TAG, 10, 5), None, status, headers):
        case Body(start=5):
            assert (status, headers["Content-Range"], headers["ETag"]) == (206, "bytes 5-9/10", TAG)
        case Unchanged():
            raise AssertionError("half a file is never complete")


@pytest.mark.parametrize("span", ["bytes 5-7/10", "bytes 4-9/10", "bytes 5-9/*", "bytes 5-10/11"])
def test_a_part_of_the_rest_is_not_the_rest(span: str) -> None:
    assert meaning(Received(TAG, 10, 5), None, 206, {"ETag": TAG, "Content-Range": span}) == Restart()


def test_a_weak_tag_is_no_tag() -> None:
    assert meaning(NOTHING, None, 200, {"ETag": 'W/"one"', "Content-Length": "3"}) == Body(0, 3, "")


def test_a_content_named_by_its_digest_needs_no_condition() -> None:
    held = Received(DIGEST, 10, 5)
    assert question(held, DIGEST) == {"Range": "bytes=5-"}
    assert meaning(held, DIGEST, 206, {"Content-Range": "bytes 5-9/10", "ETag": OTHER}) == Body(5, 10, DIGEST)
